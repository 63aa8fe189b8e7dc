from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest


def _leading_to(network: Any, upto: str | None) -> list[Any]:
    """The layers that lead to one layer, or all."""
    import keras  # takes seconds

    return list((network if upto is None else keras.Model(network.input, network.get_layer(upto).output)).layers)


def _write_weights(path: Path, network: Any, rename: Mapping[str, str] | None = None, upto: str | None = None) -> Path:
    """Write a Keras network's values in the layout of the published weight files, layers renamed if so wished.

    The layers that do not lead to `upto` take no room there: who reads them finds what are no numbers.
    """
    known = {layer.name for layer in _leading_to(network, upto)}
    names = {layer.name: (rename or {}).get(layer.name, layer.name) for layer in network.layers}
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in names.values()]
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", "2.1.6"
        for layer in network.layers:
            group = file.create_group(names[layer.name])
            variables = [*layer.trainable_weights, *layer.non_trainable_weights]
            paths = [f"{names[layer.name]}/{number}/{each.name}:0" for number, each in enumerate(variables)]
            group.attrs["weight_names"] = [path.encode() for path in paths]
            for inside, variable in zip(paths, variables, strict=True):
                if layer.name in known:
                    group[inside] = variable.numpy()
                else:
                    group.create_dataset(inside, tuple(variable.shape), np.float32, fillvalue=np.nan)
    return path


def _randomise(network: Any, seed: int = 0, upto: str | None = None) -> Any:
    """Give the layers that lead to one, or all, values that tell them apart, normalisations included, and keep
    activations finite.
    """
    random = np.random.default_rng(seed)
    for variable in (each for layer in _leading_to(network, upto) for each in layer.weights):
        name, shape = variable.name, tuple(variable.shape)
        if "variance" in name or name == "gamma":
            variable.assign(random.uniform(0.5, 1.5, shape).astype(np.float32))
        elif "kernel" in name:
            fan_in = max(1, int(np.prod(shape[:-1])) if "depthwise" not in name else int(np.prod(shape[:2])))
            variable.assign(random.standard_normal(shape, np.float32) * np.float32((2 / fan_in) ** 0.5))
        elif variable.dtype.startswith("float"):
            variable.assign(random.standard_normal(shape, np.float32) * np.float32(0.1))
    return network


@pytest.fixture(scope="session")
def write_weights() -> Callable[..., Path]:
    return _write_weights


@pytest.fixture(scope="session")
def randomise() -> Callable[..., Any]:
    return _randomise
