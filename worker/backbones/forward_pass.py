"""The forward pass from prepared images to feature vectors: traced once, run in parts that bound its memory.

A convolution's input and output are both in memory while it runs: for VGG16 that is 26 MB an image, and a batch of 32
would take 822 MB, more than all of its weights up to fc1. The convolutions therefore run on a few images at a time,
which costs hardly any speed. A dense layer after them runs on the whole batch: each pass reads all of its weights, 411
MB for fc1, so parts would make it slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from producer.runtime.arrays import Float32Array
from worker.backbones.names import BackboneError, BackboneName
from worker.backbones.tensorflow_import import loading_tensorflow

with loading_tensorflow():
    import keras
    import tensorflow as tf


_ACTIVATIONS: Final = 52 * 1024 * 1024
"""Bytes of a layer's input and output together at most: VGG16 runs two images at a time, MobileNet eight."""


class ForwardPass:
    """Maps images (n, height, width, 3) to feature vectors (n, `feature_size`), from any thread.

    `part` is how many images go through the convolutions at once at most.

    Raises:
        BackboneError: the features are to be averaged over the image, but the last layer has none.
    """

    def __init__(self, model: Any, size: tuple[int, int], name: BackboneName) -> None:
        shape = tuple(model.output.shape[1:])
        if name.pooling and len(shape) != 3:
            raise BackboneError(f"{name}: +gap averages over an image, but layer {name.layer} has the shape {shape}")
        self.feature_size: int = shape[-1] if name.pooling else math.prod(shape)
        self.part = max(1, _ACTIVATIONS // _activations(model))
        self._size = size
        self._middle = _flattened(model)
        body = model if self._middle is None else keras.Model(model.input, self._middle)
        self._body = _traced(body, (*size, 3), name.pooling)
        self._head = None
        if self._middle is not None:
            self._head = _traced(keras.Model(self._middle, model.output), self._middle.shape[1:], pooling=False)

    def __call__(self, images: Float32Array) -> Float32Array:
        """Return the features of all images."""
        return self.of(len(images), lambda part: images[part])

    def of(self, count: int, images: Callable[[slice], Float32Array]) -> Float32Array:
        """Return the features of `count` images; `images` returns those of a part when they are needed."""
        if not count:
            return np.empty((0, self.feature_size), np.float32)  # kernels refuse an empty batch
        step = self._step(count)
        outputs = [self._body(tf.constant(images(slice(at, at + step)))) for at in range(0, count, step)]
        output = outputs[0] if len(outputs) == 1 else tf.concat(outputs, 0)
        return np.asarray(output if self._head is None else self._head(output))  # the tensor's memory, no copy of it

    def warm_up(self, images: int) -> None:
        """Select the kernels and allocate the memory for that many images, without the time of a whole batch."""
        self(np.zeros((self._step(images), *self._size, 3), np.float32))
        if self._head is not None:
            self._head(tf.zeros((images, *self._middle.shape[1:])))

    def _step(self, images: int) -> int:
        """How many of that many images run at once: as few parts as possible, and these as even as possible."""
        parts = math.ceil(images / self.part)
        return math.ceil(images / parts)


def _activations(model: Any) -> int:
    """Bytes of the largest layer's output for one image, twice: a layer's input and its output."""
    largest: int = max(math.prod(layer.output.shape[1:]) for layer in model.layers)
    return 2 * 4 * largest


def _flattened(model: Any) -> Any:
    """The output of the flattening layer after the convolutions, where more layers follow; None in networks without
    one.
    """
    outputs = [layer.output for layer in model.layers[:-1] if isinstance(layer, keras.layers.Flatten)]
    return outputs[-1] if outputs else None


def _traced(model: Any, shape: tuple[int, ...], pooling: bool) -> Callable[[Any], Any]:
    """The model as a concrete function for any batch size: it is never retraced, so it is safe in several threads."""

    def forward(inputs: Any) -> Any:
        output = model(inputs, training=False)
        return tf.reduce_mean(output, axis=[1, 2]) if pooling else tf.reshape(output, [-1, math.prod(output.shape[1:])])

    signature = [tf.TensorSpec([None, *shape], tf.float32)]
    traced: Callable[[Any], Any] = tf.function(
        forward, input_signature=signature, autograph=False
    ).get_concrete_function()
    return traced
