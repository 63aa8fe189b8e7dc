from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest


def _write_weights(path: Path, network: Any, rename: Mapping[str, str] | None = None, part: Any = None) -> Path:
    """Write a Keras network's values in the layout of the published weight files, layers renamed if so wished.

    Where a part of it has the values, the other layers take no room there: who reads them finds what are no numbers.
    """
    valued = {layer.name: layer for layer in (network if part is None else part).layers}
    names = {layer.name: (rename or {}).get(layer.name, layer.name) for layer in network.layers}
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in names.values()]
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", "2.1.6"
        for layer in network.layers:
            group = file.create_group(names[layer.name])
            variables = _in_order(valued.get(layer.name, layer))
            paths = [f"{names[layer.name]}/{number}/{each.name}:0" for number, each in enumerate(variables)]
            group.attrs["weight_names"] = [path.encode() for path in paths]
            for inside, variable in zip(paths, variables, strict=True):
                if layer.name in valued:
                    group[inside] = variable.numpy()
                else:
                    group.create_dataset(inside, tuple(variable.shape), np.float32, fillvalue=np.nan)
    return path


def _in_order(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _randomise(network: Any, seed: int = 0) -> Any:
    """Give all layers values that tell them apart, normalisations included, and keep activations finite."""
    random = np.random.default_rng(seed)
    for variable in (each for layer in network.layers for each in layer.weights):
        name, shape = variable.name, tuple(variable.shape)
        if "variance" in name or name == "gamma":
            variable.assign(random.uniform(0.5, 1.5, shape).astype(np.float32))
        elif "kernel" in name:
            fan_in = max(1, int(np.prod(shape[:-1])) if "depthwise" not in name else int(np.prod(shape[:2])))
            variable.assign(random.standard_normal(shape, np.float32) * np.float32((2 / fan_in) ** 0.5))
        elif variable.dtype.startswith("float"):
            variable.assign(random.standard_normal(shape, np.float32) * np.float32(0.1))
    return network


def _build_upto(layer: str, build: Callable[..., Any], **form: Any) -> tuple[Any, Any]:
    """A whole network of Keras without values, and the part of it that leads to a layer, with random ones.

    Values for all of a network take longer than what is asked of the part.
    """
    import keras  # takes seconds

    from worker.backbones.keras_families import _valueless

    whole = _valueless(build, form)
    part = keras.models.clone_model(keras.Model(whole.input, whole.get_layer(layer).output))
    return whole, _randomise(part)


@pytest.fixture(scope="session")
def write_weights() -> Callable[..., Path]:
    return _write_weights


@pytest.fixture(scope="session")
def randomise() -> Callable[..., Any]:
    return _randomise


@pytest.fixture(scope="session")
def build_upto() -> Callable[..., tuple[Any, Any]]:
    return _build_upto
