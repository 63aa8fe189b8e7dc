"""The families of pretrained networks: which module has a family's networks, weights and preprocessing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.runtime.arrays import Float32Array, UInt8Array
from worker.backbones import efficientnet_lite, keras_families
from worker.backbones.filled_network import filled_network

Preprocess = Callable[[UInt8Array], Float32Array]


@dataclass(frozen=True)
class CutNetwork:
    """A Keras model that puts out some layers of a network with its weights, and what it wants its pixels to be."""

    model: Any
    size: tuple[int, int]
    preprocess: Preprocess
    weights_digest: str


def input_size(family: str) -> tuple[int, int]:
    """Return the height and width in pixels that a family's networks take.

    Raises:
        BackboneError: there is no such family.
    """
    variant = efficientnet_lite.VARIANTS.get(family)
    return keras_families.published_network(family).input_size if variant is None else (variant.side, variant.side)


def filled(family: str, layers: Sequence[str], weights: str, weights_folder: Path) -> CutNetwork:
    """Return a family's network, cut to the layers asked for, with its weights.

    `weights` is as in `worker.backbones.backbone.load_backbone` (for EfficientNet-Lite: `imagenet` or a PyTorch file).

    Raises:
        WeightsMissing: the weights are neither here nor to be downloaded; the message says how to get them.
        WeightsUnfit: the weights are damaged or for another network.
        BackboneError: there is no such family or layer.
    """
    if family in efficientnet_lite.VARIANTS:
        model, digest = efficientnet_lite.filled(family, weights)
        part = keras_families.cut(model, family, layers)
        return CutNetwork(part, input_size(family), efficientnet_lite.preprocess, digest)
    network = filled_network(family, layers, weights, weights_folder)
    return CutNetwork(
        network.model,
        network.published.input_size,
        lambda images: keras_families.preprocess(family, images),
        network.digest,
    )
