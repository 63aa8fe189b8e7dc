"""The families of pretrained networks that `keras.applications` has: built without values, and cut at a layer.

A network is built inside `keras.StatelessScope`: its variables have names and shapes but no memory, so VGG16's 138
million parameters cost nothing until the part that is needed is rebuilt with real ones.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from producer.runtime.arrays import Float32Array, UInt8Array
from worker.backbones.names import BackboneError, canonical_family, split_family
from worker.backbones.tensorflow_import import loading_tensorflow
from worker.backbones.weight_file import KERNELS, LayerSpec

with loading_tensorflow():
    import keras
    import tensorflow as tf

_EFFICIENTNET_STDDEV: Final = (0.229, 0.224, 0.225)
"""IMAGENET_STDDEV_RGB of keras/src/applications/efficientnet.py."""

_DEFAULT_SIZE: Final = 224
"""Height and width for the networks that Keras leaves open (MobileNetV3, published for 224)."""

_STALL_SECONDS: Final = 20.0
"""A download that receives nothing for this long has failed."""


@dataclass(frozen=True)
class NetworkSummary:
    """The size of a whole network: Keras layers, parameters, multiply-adds an image."""

    layers: int
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class PublishedNetwork:
    """A network as published, with its classification top, without values.

    `specs` are its layers with weights, in topological order, and `headless_specs` those of the form without the
    top, which weights are published for as well. `family` is canonical, `input_size` is (height, width) in pixels.
    """

    family: str
    model: Any
    input_size: tuple[int, int]
    specs: tuple[LayerSpec, ...]
    headless_specs: tuple[LayerSpec, ...]

    def top_layers(self) -> set[str]:
        """Return the names of the layers with weights that only the form with the top has."""
        return {spec.name for spec in self.specs}.difference(spec.name for spec in self.headless_specs)

    def cut(self, *layers: str) -> Any:
        """Return the valueless part of the network that leads to the outputs of `layers`; raises as `cut`."""
        return cut(self.model, self.family, layers)

    def summary(self) -> NetworkSummary:
        """Return the size of the whole network.

        Multiply-adds are counted for convolutions and dense layers: a kernel's size times its number of positions.
        """
        return NetworkSummary(
            layers=len(self.model.layers),
            parameters=self.model.count_params(),
            multiply_adds=sum(_multiply_adds(layer) for layer in self.model.layers),
        )


def cut(model: Any, family: str, layers: Sequence[str]) -> Any:
    """Return the part of a family's network that leads to the outputs of `layers`, a list of them if there are several.

    Raises:
        BackboneError: there is no such layer, or it has several outputs.
    """
    outputs = [_output(model, family, layer) for layer in layers]
    # Named, because names go into files made from it, and an automatic one counts up.
    return keras.Model(model.input, outputs[0] if len(outputs) == 1 else outputs, name="network")


def _output(model: Any, family: str, layer: str) -> Any:
    names = [layer.name for layer in model.layers]
    if layer not in names:
        near = difflib.get_close_matches(layer, names, n=5, cutoff=0.5)
        raise BackboneError(
            f"{family} has no layer {layer!r}"
            + (f"; did you mean {', '.join(near)}?" if near else "")
            + f" Its layers: {', '.join(names)}"
        )
    output = model.get_layer(layer).output
    if isinstance(output, list | tuple | dict) or None in output.shape[1:]:
        raise BackboneError(f"layer {layer} of {family} has no single output of a fixed size")
    return output


def families() -> list[str]:
    """Return the names of all families, in lower case."""
    return sorted(_builders())


def published_network(family: str) -> PublishedNetwork:
    """Return a family's network at its published input size, without values; it is built once in a process.

    Raises:
        BackboneError: there is no such family, or it has no such width.
    """
    return _built(canonical_family(family))


@cache
def _built(family: str) -> PublishedNetwork:
    build, options = _builder(family)
    model = _valueless(build, options)
    height, width = (side or _DEFAULT_SIZE for side in model.input_shape[1:3])
    options = options | {"input_shape": (height, width, 3)}
    if None in model.input_shape[1:3]:
        model = _valueless(build, options)
    headless = _valueless(build, options | {"include_top": False})
    return PublishedNetwork(family, model, (height, width), _specs(model), _specs(headless))


def with_values(cut: Any, family: str) -> Any:
    """Return a copy of a valueless network whose variables have memory, but no values yet: those come from a file."""
    if not split_family(family)[0].startswith("efficientnetb"):
        return keras.models.clone_model(cut, clone_function=_with_room)

    # EfficientNet (not V2) has one more layer when Keras builds it for its published weights: a division by the
    # square root of the standard deviation after the normalization (keras/src/applications/efficientnet.py).
    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Normalization):
            output = keras.layers.Rescaling([1.0 / math.sqrt(variance) for variance in _EFFICIENTNET_STDDEV])(output)
        return output

    return keras.models.clone_model(cut, clone_function=_with_room, call_function=call)


def preprocess(family: str, images: UInt8Array) -> Float32Array:
    """Return a copy of `images` (…, height, width, 3) as the family's published weights want them."""
    name = split_family(family)[0]
    own: Any = inspect.getmodule(_builders()[name])  # each family's module has its own preprocessing
    values = images.astype(np.float32)  # the copy that Keras works in place on
    return np.ascontiguousarray(own.preprocess_input(values, data_format="channels_last"), dtype=np.float32)


def scale_symmetric(images: UInt8Array) -> Float32Array:
    """Return a copy of `images` scaled from 0…255 to -1…1: the lab's way for every family."""
    values = images.astype(np.float32)
    values /= 127.5
    values -= 1.0
    return values


def download(family: str, top: bool) -> None:
    """Let Keras download a family's ImageNet weights into its cache, the folder KERAS_HOME.

    Meant for a process of its own: it allocates the whole network, sets the sockets' time limit, and raises whatever
    Keras raises where there is no connection.
    """
    socket.setdefaulttimeout(_STALL_SECONDS)
    size = published_network(family).input_size
    build, options = _builder(canonical_family(family))
    build(**options, weights="imagenet", include_top=top, input_shape=(*size, 3))


def _builders() -> dict[str, Callable[..., Any]]:
    return {name.lower(): builder for name, builder in vars(keras.applications).items() if inspect.isfunction(builder)}


def _builder(family: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    name, width = split_family(family)
    builders = _builders()
    if name not in builders:
        near = difflib.get_close_matches(name, families(), n=5, cutoff=0.5)
        raise BackboneError(
            f"there is no family {name!r}; "
            + (f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(families())}")
        )
    build = builders[name]
    if width == 1.0:
        return build, {}
    if "alpha" not in inspect.signature(build).parameters:
        raise BackboneError(f"{name} comes in one width only: write {name}, not {family}")
    return build, {"alpha": width}


def _valueless(build: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Build a network whose variables have no values, in a thread of its own.

    Keras keeps two things per thread: the variables still to be initialised, which the next model built there would
    allocate after all; and the counters behind automatic names, which so start at the same names every time.
    """
    built: list[Any] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                built.append(build(weights=None, **options))
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            failed.append(error)

    thread = threading.Thread(target=run, name="network-build")
    thread.start()
    thread.join()
    if failed:
        raise BackboneError(f"Keras cannot build this network: {failed[0]}") from failed[0]
    return built[0]


def _with_room(layer: Any) -> Any:
    """Copy a layer so that its variables are allocated without being written to.

    Drawing VGG16's hundred million random numbers takes seconds, zeros still one, and both touch all of their memory.
    """
    config = layer.get_config()
    config.update({key: _room for key in config if key.endswith("initializer")})
    return layer.__class__.from_config(config)


def _room(shape: Any, dtype: Any) -> Any:
    """An initialiser that leaves the memory as it is."""
    return tf.raw_ops.Empty(shape=shape, dtype=dtype, init=False)


def _weights(layer: Any) -> list[Any]:
    """A layer's variables in the order that the legacy layout stores them in."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _specs(model: Any) -> tuple[LayerSpec, ...]:
    return tuple(_spec(layer) for layer in model.layers if layer.weights)


def _spec(layer: Any) -> LayerSpec:
    variables = _weights(layer)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)).lower()
    return LayerSpec(
        name=layer.name,
        auto_named=re.fullmatch(rf"{snake}(_\d+)?", layer.name) is not None,
        weight_names=tuple(variable.name for variable in variables),
        shapes=tuple(tuple(variable.shape) for variable in variables),
    )


def _multiply_adds(layer: Any) -> int:
    if hasattr(layer, "layers"):
        return sum(_multiply_adds(inner) for inner in layer.layers)
    kernels = [weight for weight in layer.weights if weight.name in KERNELS]
    if not kernels:
        return 0
    positions = math.prod(layer.output.shape[1:-1])
    return sum(math.prod(weight.shape) * positions for weight in kernels)
