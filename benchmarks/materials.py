"""The inputs of benchmarks: rendered photographs, and weight files with random values in the published layout.

The duration of a forward pass does not depend on the weights' values, so no download is needed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import h5py
import numpy as np

from producer.runtime.arrays import Float32Array
from producer.simulation.head import labelled_images

SIZE = 1024
"""Width and height of a photograph in pixels."""


@cache
def photographs(count: int = 32) -> tuple[bytes, ...]:
    """JPEGs of inserts, 1024×1024, every second one damaged; a fifth of a second each to render, once."""
    return tuple(image for image, _ in labelled_images(count, seed=1, size=SIZE))


@contextmanager
def random_weights(backbone: str) -> Iterator[str | None]:
    """The weights for `backbone`: a file that is there for as long as the context; EfficientNet-Lite has its own."""
    from worker.networks.names import parse_network_name

    family = parse_network_name(backbone).family
    if family.startswith("efficientnet_lite"):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="bench-weights-") as folder:
        path = Path(folder) / f"{family}.h5"
        _write(path, family)
        yield str(path)


def _write(path: Path, family: str) -> None:
    """Write random weights of a whole network, as large as its published file, in Keras's legacy layout."""
    from worker.backbones.keras_families import published_network

    rng = np.random.default_rng(0)
    specs = published_network(family).specs
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [spec.name.encode() for spec in specs]
        for spec in specs:
            group = file.create_group(spec.name)
            names = [f"{spec.name}/{name}:0" for name in spec.weight_names]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, variable, shape in zip(names, spec.weight_names, spec.shapes, strict=True):
                group[name] = _values(rng, variable, shape)


def _values(rng: np.random.Generator, variable: str, shape: tuple[int, ...]) -> Float32Array:
    """Values that keep activations finite, normalisations included, and hardly ever denormal, which would be slow."""
    if "variance" in variable or variable == "gamma":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    if len(shape) < 2:
        return np.asarray(0.1 * rng.standard_normal(shape, np.float32))
    fan_in = np.prod(shape[:2] if variable.startswith("depthwise") else shape[:-1])
    values = rng.standard_normal(shape, np.float32)
    values *= np.float32((2 / fan_in) ** 0.5)
    return values
