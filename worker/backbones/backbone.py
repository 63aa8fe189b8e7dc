"""Named backbones: the part of a pretrained network that turns images into features, loaded and ready to run.

`load_backbone("vgg16:fc1", weights_folder=…)` builds VGG16 up to `fc1` and nothing behind it, fills it from a
weight file whose every shape and value is checked, and traces it once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from producer.runtime.arrays import Float32Array, UInt8Array
from worker.backbones import keras_families as networks
from worker.backbones.filled_network import filled_network
from worker.backbones.forward_pass import ForwardPass
from worker.backbones.keras_families import NetworkSummary, PublishedNetwork
from worker.backbones.names import BackboneError, BackboneName, WeightsMissing, WeightsUnfit, parse_name

__all__ = [
    "Backbone",
    "BackboneError",
    "NetworkSummary",
    "WeightsMissing",
    "WeightsUnfit",
    "load_backbone",
]

FINGERPRINT_VERSION: Final = 1
"""Increment when identical inputs would yield different features."""


class Backbone:
    """A pretrained network up to one layer. `prepare` and `features` may be called from any thread.

    `name` is canonical; `fingerprint` names everything that the features depend on; `feature_size` is the length of one
    feature vector; `input_size` is (height, width) in pixels; `layers` and `parameters` count the part that is built.
    """

    def __init__(
        self,
        name: BackboneName,
        published: PublishedNetwork,
        model: Any,
        weights_digest: str,
        *,
        lab_preprocessing: bool,
    ) -> None:
        self.name = str(name)
        self.family = name.family
        self.layer = name.layer
        self.pooling = name.pooling
        self.input_size = published.input_size
        self.layers = len(model.layers)
        self.parameters = int(model.count_params())
        self._summary = published.summary()
        self._lab_preprocessing = lab_preprocessing
        self._model = model  # a traced function does not keep its variables alive
        self._forward = ForwardPass(model, self.input_size, name)
        self.feature_size = self._forward.feature_size
        self.fingerprint = _fingerprint(
            family=self.family,
            layer=self.layer,
            pooling=self.pooling,
            weights=weights_digest,
            preprocessing="lab" if lab_preprocessing else "own",
            input_size=list(self.input_size),
            version=FINGERPRINT_VERSION,
        )

    def network_summary(self) -> NetworkSummary:
        """Return the figures of the whole published network, of which this backbone is a part."""
        return self._summary

    def prepare(self, images: UInt8Array) -> Float32Array:
        """Return images, (height, width, 3) or (n, height, width, 3) of 0…255, as the network wants them.

        That is the family's own `preprocess_input`, or values from -1 to 1 with the lab's preprocessing. The images
        themselves stay as they are.

        Raises:
            ValueError: the images are not uint8 or not of `input_size`.
        """
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[-3:] != (*self.input_size, 3):
            raise ValueError(
                f"{self.name} takes uint8 images of {self.input_size} pixels and 3 colours, not {images.dtype} "
                f"of shape {images.shape}"
            )
        if self._lab_preprocessing:
            return networks.scale_symmetric(images)
        return networks.preprocess(self.family, images)

    def features(self, prepared: Float32Array) -> Float32Array:
        """Return the features (n, feature_size) of n prepared images (n, height, width, 3).

        The same image gives the same features up to float32 rounding whatever batch it is in.

        Raises:
            ValueError: `prepared` is of another shape or type.
        """
        if prepared.dtype != np.float32 or prepared.ndim != 4 or prepared.shape[1:] != (*self.input_size, 3):
            raise ValueError(
                f"{self.name} takes float32 of shape (n, {self.input_size[0]}, {self.input_size[1]}, 3), "
                f"not {prepared.dtype} of {prepared.shape}"
            )
        return self._forward(prepared)

    def features_of(self, images: Sequence[UInt8Array]) -> Float32Array:
        """Return the features (n, feature_size) of n images (height, width, 3) of 0…255.

        They are prepared a few at a time, when it is their turn: as floats a whole batch takes four times the memory.

        Raises:
            ValueError: the images are not uint8 or not of `input_size`.
        """
        return self._forward.of(len(images), lambda part: self.prepare(np.stack(images[part])))

    def warm_up(self, batch_sizes: Iterable[int]) -> None:
        """Run each batch size once, so that the first message does not wait for kernels and memory."""
        for size in sorted(set(batch_sizes)):
            self._forward.warm_up(size)


def load_backbone(
    name: str, weights: str | None = None, *, weights_folder: Path, lab_preprocessing: bool = False
) -> Backbone:
    """Return the backbone of that name with its weights, ready to run.

    `weights` is `imagenet` (the family's published weights: from the weights folder, else downloaded by Keras and kept
    there; also where it is None), the path of a weight file, or a digest or source file's name in the weights folder.

    Raises:
        WeightsMissing: the weights are neither here nor can be downloaded; the message says how to get them.
        WeightsUnfit: the weights are damaged, lack a layer that is needed, or are for another network.
        BackboneError: there is no such family or layer, or it cannot be loaded in this way.
    """
    parsed = parse_name(name)
    filled = filled_network(parsed.family, [parsed.layer], weights or "imagenet", weights_folder)
    return Backbone(parsed, filled.published, filled.model, filled.digest, lab_preprocessing=lab_preprocessing)


def _fingerprint(**ingredients: object) -> str:
    canonical = json.dumps(ingredients, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
