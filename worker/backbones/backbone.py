"""Named backbones: the part of a pretrained network that turns images into features, loaded and ready to run.

`load_backbone("vgg16:fc1", weights_folder=…)` builds VGG16 up to `fc1` and nothing behind it, fills it from a
weight file whose every shape and value is checked, and traces it once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from producer.configuration.home_folder import at_home
from worker.backbones import insertnet
from worker.backbones import keras_networks as networks
from worker.backbones.forward_pass import ForwardPass
from worker.backbones.keras_networks import NetworkSummary, PublishedNetwork
from worker.backbones.names import (
    INSERTNET,
    BackboneError,
    BackboneName,
    WeightsMissing,
    WeightsUnfit,
    default_weights,
    parse_name,
)
from worker.backbones.tensorflow_import import loading_tensorflow
from worker.backbones.weight_file import LayerSpec, WeightFile, flaw, match
from worker.backbones.weight_import import fetch_weights
from worker.backbones.weight_store import WeightsStore, file_digest
from worker.runtime.arrays import AnyArray, Float32Array, UInt8Array

with loading_tensorflow():
    import keras
    import tensorflow as tf

__all__ = [
    "Backbone",
    "BackboneError",
    "NetworkSummary",
    "WeightsMissing",
    "WeightsUnfit",
    "default_weights",
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
    there; for insertnet its embedded ones), `embedded` (insertnet only), the path of a weight file, or a digest or
    source file's name in the weights folder. None means `default_weights(name)`.

    Raises:
        WeightsMissing: the weights are neither here nor can be downloaded; the message says how to get them.
        WeightsUnfit: the weights are damaged, lack a layer that is needed, or are for another network.
        BackboneError: there is no such family or layer, or it cannot be loaded in this way.
    """
    if keras.backend.backend() != "tensorflow" or keras.config.image_data_format() != "channels_last":
        raise BackboneError("Keras is set to another backend or image format: this needs tensorflow and channels_last")
    parsed = parse_name(name)
    published = networks.published_network(parsed.family)
    cut = published.cut(parsed.layer)
    within = {layer.name for layer in cut.layers}
    needed = [spec for spec in published.specs if spec.name in within]
    path, check = _find_weights(parsed, weights or default_weights(name), published, needed, weights_folder)
    with ThreadPoolExecutor(1) as thread:
        digest = thread.submit(file_digest, path)  # half a second for VGG16, in parallel
        try:
            model = networks.with_values(cut, parsed.family)
            _fill(model, path, published, needed)
        finally:
            check(digest.result())  # a changed file is reported as that, whatever else it caused
    return Backbone(parsed, published, model, digest.result(), lab_preprocessing=lab_preprocessing)


def _find_weights(
    name: BackboneName, weights: str, published: PublishedNetwork, needed: list[LayerSpec], weights_folder: Path
) -> tuple[Path, Callable[[str], None]]:
    """Return the weight file to load, and the check of its digest, which raises `WeightsUnfit`."""
    store = WeightsStore(weights_folder)
    if name.family == INSERTNET and weights in ("imagenet", "embedded"):
        return insertnet.WEIGHTS, _check_embedded
    if weights == "embedded":
        raise BackboneError(f"only {INSERTNET} has embedded weights; {name.family} takes imagenet or a file")
    if weights == "imagenet":
        layers = [spec.name for spec in needed]
        entry = store.for_family(name.family, layers)
        if entry is None:
            entry = fetch_weights(weights_folder, name.family, top=not published.top_layers().isdisjoint(layers))
    elif (file := at_home(Path(weights))).is_file():
        return file, lambda _: None  # there is no digest to compare with
    else:
        entry = store.named(weights)
        if entry.family != name.family:
            raise WeightsUnfit(f"{weights} was imported for {entry.family}, not for {name.family}")
    return store.present_path(entry), partial(store.check, entry)


def _check_embedded(digest: str) -> None:
    expected = json.loads(insertnet.MANIFEST.read_text(encoding="utf-8"))["sha256"]
    if digest != expected:
        raise WeightsUnfit(
            f"insertnet's weights {insertnet.WEIGHTS} are not those of its manifest (SHA-256 {digest}, "
            f"expected {expected}): install insert-inspection again"
        )


def _fill(model: Any, path: Path, published: PublishedNetwork, needed: list[LayerSpec]) -> None:
    """Load a file's values into the model's variables, layer by layer, without a second copy in memory."""
    family = published.family
    with WeightFile(path) as file:
        matched = match(file, [published.specs, published.headless_specs], family)
        for spec in needed:
            if spec.name not in matched:
                raise WeightsUnfit(f"{path} has no weights for layer {spec.name} of {family}{_why(spec, published)}")
            layer = model.get_layer(spec.name)
            variables = [*layer.trainable_weights, *layer.non_trainable_weights]
            arrays = file.read(matched[spec.name])
            if (problem := flaw(spec, arrays)) is not None:
                raise WeightsUnfit(f"{path} cannot be used up to that layer of {family}: {problem}")
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(_tensor(array) if array.dtype == variable.dtype else array)
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()  # it computes with values that it derives from its weights


def _tensor(array: AnyArray) -> Any:
    """A tensor that shares an aligned array's memory: a variable that it is assigned to keeps it."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def _why(spec: LayerSpec, published: PublishedNetwork) -> str:
    if spec.name in published.top_layers():
        return ": it is one without the network's top"
    if spec.auto_named:
        return " (Keras numbers that layer itself, so it is only found in a file with all of the network's layers)"
    return ""


def _fingerprint(**ingredients: object) -> str:
    canonical = json.dumps(ingredients, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
