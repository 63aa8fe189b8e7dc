"""A model's arrays as one HDF5 file: plain arrays only, so that reading it runs nothing and opens no other file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from producer.runtime.arrays import Float32Array
from worker.models.linear_svm import ClassifierError, LinearModel
from worker.models.novelty import Novelty


@dataclass(frozen=True, eq=False)
class ModelArrays:
    """What a model computes with, for `worker.models.line_model.LineModel`.

    Its planes, and what it may have: those of the finer model, learnt photographs, and what is usual.
    """

    classifier: LinearModel
    kind: LinearModel | None = None
    novelty: Novelty | None = None
    usual: Float32Array | None = None


def to_hdf5(arrays: ModelArrays) -> bytes:
    """Return the file's content; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=False) as file:
        for prefix, planes in (("", arrays.classifier), ("kind_", arrays.kind)):
            if planes is not None:
                file.create_dataset(f"{prefix}coef", data=np.ascontiguousarray(planes.coef, "<f4"))
                file.create_dataset(f"{prefix}intercept", data=np.ascontiguousarray(planes.intercept, "<f8"))
        if arrays.novelty is not None:
            file.create_dataset("novelty_learnt", data=np.ascontiguousarray(arrays.novelty.learnt, "<f4"))
            file.create_dataset("novelty_distances", data=np.ascontiguousarray(arrays.novelty.distances, "<f8"))
            if arrays.novelty.signs is not None:
                file.create_dataset("novelty_signs", data=np.ascontiguousarray(arrays.novelty.signs, "i1"))
        if arrays.usual is not None:
            file.create_dataset("usual", data=np.ascontiguousarray(arrays.usual, "<f4"))
    return buffer.getvalue()


def from_hdf5(
    data: bytes, classes: tuple[str, ...], kind_classes: tuple[str, ...] | None, feature_size: int, *, novelty: bool
) -> ModelArrays:
    """Return the arrays of a file's content.

    Raises:
        OSError, KeyError, RuntimeError, ValueError: it is no such file, or its arrays do not fit the arguments.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        model = _planes(file, "", classes, feature_size)
        kind = kind_classes and _planes(file, "kind_", kind_classes, feature_size)
        return ModelArrays(
            model, kind or None, _novelty(file, feature_size) if novelty else None, _usual(file, feature_size)
        )


def _usual(file: h5py.File, feature_size: int) -> Float32Array | None:
    if "usual" not in file:
        return None
    usual = _array(file, "usual", "<f4")
    if usual.shape != (feature_size,) or not np.isfinite(usual).all():
        raise ClassifierError(f"what is usual has the shape {usual.shape}, or numbers that are not finite")
    return usual


def _novelty(file: h5py.File, feature_size: int) -> Novelty:
    learnt, distances = _array(file, "novelty_learnt", "<f4"), _array(file, "novelty_distances", "<f8")
    signs = _array(file, "novelty_signs", "i1") if "novelty_signs" in file else None
    if (learnt.shape[-1] if signs is None else len(signs)) != feature_size:
        raise ClassifierError(f"learnt photographs of shape {learnt.shape} for {feature_size} features")
    return Novelty(learnt, distances, signs)


def _planes(file: h5py.File, prefix: str, classes: tuple[str, ...], feature_size: int) -> LinearModel:
    coef, intercept = _array(file, f"{prefix}coef", "<f4"), _array(file, f"{prefix}intercept", "<f8")
    if coef.ndim != 2 or coef.shape[1] != feature_size:
        raise ClassifierError(f"coefficients of shape {coef.shape} for {feature_size} features")
    return LinearModel(classes, coef, intercept)


def _array(file: h5py.File, name: str, dtype: str) -> np.ndarray[Any, np.dtype[Any]]:
    """A plain array out of `file`: one that names other files, needs a filter, or is of another type is refused."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise KeyError(f"no array '{name}' in it")
    dataset = file[name]
    plain = (
        isinstance(dataset, h5py.Dataset)
        and dataset.dtype == np.dtype(dtype)
        and dataset.external is None
        and not dataset.is_virtual
        and dataset.id.get_create_plist().get_nfilters() == 0
        and dataset.id.get_create_plist().get_layout() == h5py.h5d.CONTIGUOUS
    )
    if not plain:
        raise KeyError(f"'{name}' is not a plain array of {np.dtype(dtype)}")
    return np.asarray(dataset[()])
