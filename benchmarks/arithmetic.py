"""Compares ways to compute VGG16's forward pass: the product's, and alternatives.

They run in turn, so that other work on the machine affects all of them alike, and the best of the rounds counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from worker.runtime.arrays import Float32Array

if TYPE_CHECKING:
    from worker.backbones.backbone import Backbone

Way = Callable[[Float32Array], Float32Array]

IMAGES = 32
ROUNDS = 3


def ways(network: Backbone) -> dict[str, Way]:
    """Each way by its name, from prepared images (32, h, w, 3) to features; the first is the product's own."""
    import tensorflow as tf

    from worker.backbones.forward_pass import ForwardPass
    from worker.backbones.names import parse_name

    model, name = network._model, parse_name(network.name)

    def in_parts_of(images: int) -> Way:
        forward = ForwardPass(model, network.input_size, name)
        forward.part = images
        return forward

    compiled = tf.function(lambda images: model(images, training=False), jit_compile=True)
    return {
        "float32, as it is": network.features,
        "float32, the whole batch at once": in_parts_of(IMAGES),
        "float32, 8 images at a time": in_parts_of(8),
        "float32, 1 image at a time": in_parts_of(1),
        "float32, XLA": lambda images: np.concatenate([compiled(images[at : at + 8]) for at in range(0, IMAGES, 8)]),
        "bfloat16 (mixed, by oneDNN)": _reduced(in_parts_of(4)),
    }


def compare(network: Backbone, flop: float) -> Iterator[str]:
    """Yield a line for each way: images and GFLOP per second, and how far its features are from the product's.

    `flop` is the number of floating-point operations for one image.
    """
    rng = np.random.default_rng(0)
    images = network.prepare(rng.integers(0, 256, (IMAGES, *network.input_size, 3), dtype=np.uint8))
    compared = ways(network)
    outputs = {name: way(images) for name, way in compared.items()}  # compiles and warms up as well
    seconds = dict.fromkeys(compared, float("inf"))
    for _ in range(ROUNDS):
        for name, way in compared.items():
            start = time.perf_counter()
            way(images)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    expected = network.features(images)
    for name, features in outputs.items():
        change = float(np.linalg.norm(features - expected) / np.linalg.norm(expected))
        rate = IMAGES / seconds[name]
        yield f"{name}: {rate:.1f} images/s, {rate * flop / 1e9:.0f} GFLOP/s, features differ by {change:.1e}"


def _reduced(way: Way) -> Way:
    """A way whose graph TensorFlow rewrites to bfloat16 where it thinks that safe; it does so at the first call."""

    def run(images: Float32Array) -> Float32Array:
        with _options(auto_mixed_precision_onednn_bfloat16=True):
            return way(images)

    return run


@contextmanager
def _options(**options: Any) -> Iterator[None]:
    import tensorflow as tf

    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options(options)
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options(dict.fromkeys(options, False) | before)
