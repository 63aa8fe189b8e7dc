"""The bare work of judging, without queue, database or waiting threads: the reference for the line."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from worker.images.decoding import decode
from worker.runtime.arrays import Float32Array

if TYPE_CHECKING:
    from worker.backbones.backbone import Backbone

BATCH = 32
"""Images in one forward pass, as many as a worker takes at most."""


def load(backbone: str, weights: str | None) -> Backbone:
    """The backbone in this process, warmed up for one image and for a batch."""
    from pathlib import Path

    from worker.backbones.backbone import load_backbone

    loaded = load_backbone(backbone, weights, weights_folder=Path("var") / "weights")
    loaded.warm_up([1, BATCH])
    return loaded


def forward_seconds(backbone: Backbone, batches: int) -> float:
    """Seconds of the batched forward pass for each image, on all cores, from `batches` passes."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (BATCH, *backbone.input_size, 3), dtype=np.uint8)
    prepared = backbone.prepare(pixels)
    start = time.perf_counter()
    for _ in range(batches):
        backbone.features(prepared)
    return (time.perf_counter() - start) / (batches * BATCH)


def decode_seconds(backbone: Backbone, images: Sequence[bytes], rounds: int = 1) -> float:
    """Seconds for each image from bytes to network input, on all cores, one thread for each."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        start = time.perf_counter()
        for _ in range(rounds):
            list(pool.map(lambda image: prepared(backbone, image), images))
        return (time.perf_counter() - start) / (rounds * len(images))


def prepared(backbone: Backbone, image: bytes) -> Float32Array:
    """Network input (h, w, 3) of one photograph."""
    return backbone.prepare(decode(image, backbone.input_size))


def one_by_one_seconds(backbone: Backbone, images: Sequence[bytes]) -> list[float]:
    """Seconds of decoding and one forward pass for each image, one after the other."""
    seconds = []
    for image in images:
        start = time.perf_counter()
        backbone.features(prepared(backbone, image)[None])
        seconds.append(time.perf_counter() - start)
    return seconds
