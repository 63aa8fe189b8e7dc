"""Turns a backbone and its weights into a network's file. The only module of this folder that knows TensorFlow.

The file takes pixels (0…255, as float32) and puts out the layers asked for, each as it is; whoever runs it does the
pooling (`worker.networks.loaded_network`). So one file serves every pooling, and what a linear model makes of the
averages can be traced back to places of the image.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from producer.runtime.arrays import Float32Array, UInt8Array
from worker.backbones import families
from worker.backbones.families import CutNetwork, Preprocess
from worker.backbones.names import BackboneError
from worker.backbones.tensorflow_import import loading_tensorflow
from worker.networks.loaded_network import Network, check_picture
from worker.networks.manifest import RECIPE, Manifest
from worker.networks.names import NetworkName, Output
from worker.networks.representative import Representative
from worker.runtime.held_stderr import held_stderr
from worker.runtime.progress import Progress, silent

with loading_tensorflow():
    import tensorflow as tf

_EXACT: Final = 1e-4
"""By how much a float32 file's outputs may differ from Keras's, as a part of the largest."""

_ALIKE: Final = 0.8
"""The least correlation of an int8 file's outputs with those of Keras in float32, on a representative picture."""

_CONVERTING: Final = "converting, for half a minute or so"
"""The step that cannot be watched: the converter says nothing of how far it is."""


@dataclass(frozen=True)
class Built:
    """A network's file, and what there is to say of it."""

    data: bytes
    manifest: Manifest


def build(
    name: NetworkName,
    weights: str | None = None,
    *,
    weights_folder: Path,
    representative: Representative | None = None,
    progress: Progress = silent,
) -> Built:
    """Return the file of a network, checked against Keras.

    `weights` is as in `worker.backbones.backbone.load_backbone` (for EfficientNet-Lite: `imagenet` or a PyTorch file).
    An int8 network needs `representative` pictures of its input's size.

    Raises:
        WeightsMissing: the weights are neither here nor to be downloaded; the message says how to get them.
        WeightsUnfit: the weights are damaged or for another network.
        BackboneError: there is no such network, or LiteRT cannot express it.
    """
    if (name.arithmetic == "int8") != (representative is not None):
        raise ValueError("an int8 network needs representative pictures, another has no use for them")
    progress("reading the weights", 0, 1)
    source = families.filled(name.family, name.layers, weights or "imagenet", weights_folder)
    forward = _traced(source)
    progress("reading the weights", 1, 1)
    progress(_CONVERTING, 0, 1)  # the converter's own steps cannot be seen from here
    images = None if representative is None else _stretched(representative.images)
    with _quiet():
        data = _converted(forward, images)
    progress(_CONVERTING, 1, 1)
    shapes = [tuple(output.shape[1:]) for output in _listed(source.model.output)]
    draft = Manifest(
        digest=hashlib.sha256(data).hexdigest(),
        size=len(data),
        family=name.family,
        layers=name.layers,
        arithmetic=name.arithmetic,
        input_size=source.size,
        shapes=tuple(shapes),
        recipe=RECIPE,
        weights_digest=source.weights_digest,
        representative=None if representative is None else str(representative),
        check=(),
        versions={"python": platform.python_version()}
        | {package: version(package) for package in ("insert-inspection", "tensorflow", "keras", "ai-edge-litert")},
        created_at=datetime.now(UTC),
    )
    network = Network(data, draft, [Output(layer) for layer in name.layers])
    _hold_against_keras(network, forward, None if images is None else images[0])
    return Built(data, draft.model_copy(update={"check": network.check_values()}))


def _traced(source: CutNetwork) -> Any:
    """The model behind its preprocessing as a concrete function of pixels."""
    kernel, bias = _scaling(source.preprocess)
    scale = kernel[0, 0]

    def forward(pixels: Any) -> Any:
        if np.array_equal(kernel, scale * np.eye(3)) and np.ptp(bias) == 0:
            # Two operations with a single number each, the second of which the converter draws into the next layer.
            values = (pixels + bias[0] / scale) * scale
        else:
            values = tf.nn.bias_add(tf.nn.conv2d(pixels, kernel[None, None], 1, "VALID"), bias)
        return _listed(source.model(values, training=False))

    signature = [tf.TensorSpec([None, *source.size, 3], tf.float32)]
    return tf.function(forward, input_signature=signature, autograph=False).get_concrete_function()


def _scaling(preprocess: Preprocess) -> tuple[Float32Array, Float32Array]:
    """A family's preprocessing as a matrix of colours and what is added: each is a scaling, and some turn the colours.

    Raises:
        BackboneError: this one is not.
    """
    bias = preprocess(np.zeros((1, 1, 3), np.uint8))[0, 0]
    matrix = (preprocess(np.uint8(255) * np.eye(3, dtype=np.uint8)[None])[0] - bias) / np.float32(255)
    probe = np.random.default_rng(0).integers(0, 256, (1, 64, 3), dtype=np.uint8)
    if not np.allclose(probe.astype(np.float32) @ matrix + bias, preprocess(probe), rtol=1e-5, atol=1e-4):
        raise BackboneError("the preprocessing of this family is not a scaling of colours, and cannot be in the file")
    return matrix, bias


def _converted(forward: Any, images: UInt8Array | None) -> bytes:
    # Without a trackable object the variables are frozen to constants first: a tenth of the time, and the only way in
    # which int8 is calibrated from a function.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([forward])
    if images is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([_as_input(image)] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises almost anything at what it cannot express
        raise BackboneError(f"this network cannot be made a LiteRT file: {error}") from error


def _stretched(images: UInt8Array) -> UInt8Array:
    """The pictures with a black and a white pixel in the first, so that the range of a pixel is the whole of it."""
    images = images.copy()
    images[0, 0, 0], images[0, -1, -1] = 0, 255
    return images


def _hold_against_keras(network: Network, forward: Any, photograph: UInt8Array | None) -> None:
    image = check_picture(network.input_size) if photograph is None else photograph
    expected = [np.asarray(output)[0] for output in forward(tf.constant(_as_input(image)))]
    for layer, ours, theirs in zip(network.manifest.layers, network.maps(image[None]), expected, strict=True):
        if photograph is None:
            fits = np.abs(ours[0] - theirs).max() <= _EXACT * np.abs(theirs).max()
        else:
            fits = np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] >= _ALIKE
        if not fits:
            raise BackboneError(
                f"the {network.manifest.arithmetic} file of {network.manifest.name} does not compute what Keras does "
                f"(layer {layer}): this network cannot be had in this arithmetic"
            )


def _as_input(image: UInt8Array) -> Float32Array:
    return image[None].astype(np.float32)


def _listed(outputs: Any) -> Sequence[Any]:
    return outputs if isinstance(outputs, list) else [outputs]


@contextmanager
def _quiet() -> Iterator[None]:
    """What the converter says to its authors is held back, and shown when it fails."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), held_stderr():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
