"""A published network up to some of its layers, filled from a weight file whose every shape and value is checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from producer.configuration.home_folder import at_home
from producer.files.file_digest import file_digest
from producer.runtime.arrays import AnyArray
from worker.backbones import keras_families as networks
from worker.backbones.keras_families import PublishedNetwork
from worker.backbones.names import BackboneError, WeightsUnfit
from worker.backbones.tensorflow_import import loading_tensorflow
from worker.backbones.weight_file import LayerSpec, WeightFile, flaw, match
from worker.backbones.weight_import import fetch_weights
from worker.backbones.weight_store import WeightsStore

with loading_tensorflow():
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class FilledNetwork:
    """A Keras model with values, the published network that it is a part of, and its weight file's SHA-256."""

    published: PublishedNetwork
    model: Any
    digest: str


def filled_network(family: str, layers: Sequence[str], weights: str, weights_folder: Path) -> FilledNetwork:
    """Return the part of a family's network that leads to the outputs of `layers`, in that order, with its weights.

    `weights` is as in `worker.backbones.backbone.load_backbone`.

    Raises:
        WeightsMissing: the weights are neither here nor to be downloaded; the message says how to get them.
        WeightsUnfit: the weights are damaged, lack a layer that is needed, or are for another network.
        BackboneError: there is no such family or layer, or it cannot be had in this way.
    """
    if keras.backend.backend() != "tensorflow" or keras.config.image_data_format() != "channels_last":
        raise BackboneError("Keras is set to another backend or image format: this needs tensorflow and channels_last")
    published = networks.published_network(family)
    cut = published.cut(*layers)
    within = {layer.name for layer in cut.layers}
    needed = [spec for spec in published.specs if spec.name in within]
    path, check = _find_weights(published, weights, needed, weights_folder)
    with ThreadPoolExecutor(1) as thread:
        digest = thread.submit(file_digest, path)  # half a second for VGG16, beside the rest
        try:
            model = networks.with_values(cut, published.family)
            _fill(model, path, published, needed)
        finally:
            check(digest.result())  # a file that was changed says that, whatever else it led to
    return FilledNetwork(published, model, digest.result())


def _find_weights(
    published: PublishedNetwork, weights: str, needed: list[LayerSpec], weights_folder: Path
) -> tuple[Path, Callable[[str], None]]:
    """Return the weight file to load, and what its digest must pass, which raises `WeightsUnfit`."""
    family = published.family
    store = WeightsStore(weights_folder)
    if weights == "imagenet":
        layers = [spec.name for spec in needed]
        entry = store.for_family(family, layers)
        if entry is None:
            entry = fetch_weights(weights_folder, family, top=not published.top_layers().isdisjoint(layers))
    elif (file := at_home(Path(weights))).is_file():
        return file, lambda _: None  # nothing says what it ought to be
    else:
        entry = store.named(weights)
        if entry.family != family:
            raise WeightsUnfit(f"{weights} was imported for {entry.family}, not for {family}")
    return store.present_path(entry), partial(store.check, entry)


def _fill(model: Any, path: Path, published: PublishedNetwork, needed: list[LayerSpec]) -> None:
    """Put a file's values into the model's variables, layer by layer, without a second copy in memory."""
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
                layer.finalize_state()  # it computes with what it derives from its weights


def _tensor(array: AnyArray) -> Any:
    """A tensor that is an aligned array's own memory: a variable that it is assigned to keeps it."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def _why(spec: LayerSpec, published: PublishedNetwork) -> str:
    if spec.name in published.top_layers():
        return ": it is one without the network's top"
    if spec.auto_named:
        return " (Keras numbers that layer itself, so it is only found in a file with all of the network's layers)"
    return ""
