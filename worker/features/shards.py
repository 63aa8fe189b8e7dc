"""Shards: files of features that are written once, by one writer, and never changed.

A shard is named by the digest of its content, so the same features stored twice are one file, and damage is detected.
It appears under its name only when it is complete and synced; a file that ends in `.part` is unfinished and is never
read.

Features are stored contiguously (HDF5's plain layout). Measured on two cores and an SSD against chunks of 32 × 1,024,
first 1,024 × 401,408, then 20,000 × 4,096, reading from a cold disk: all blocks of columns, as the Gram matrix does,
2.2 s against 3.5 s and 1.0 s against 1.1 s; all rows 2.6 s against 3.4 s and 0.3 s against 2.6 s; 200 single rows from
memory 0.07 s against 3.2 s and 0.003 s against 0.02 s. Compression (shuffle and LZF) saved a fifth and made all of
these 10 to 40 times slower.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from producer.files.durable_files import sync
from producer.runtime.arrays import Float32Array

FEATURES: Final = "features"
FEATURE_KEYS: Final = "sights"
"""Dataset of the rows' keys; it has the name that earlier versions gave it."""

BLOCK_BYTES: Final = 32 * 2**20
"""Bytes that are read or written at once: full disk speed, and little memory."""

ABANDONED_SECONDS: Final = 3600
"""A `.part` that was not written to for so long is of a writer that was killed."""


class ShardGone(LookupError):
    """The shard is not there any more: it was merged into another, which has its rows."""


class ShardDamaged(ValueError):
    """A file is not a complete shard of these features; the message says why."""


@dataclass(frozen=True)
class Broken:
    """A shard that does not match its digest: its name, the reason, where it was put `aside`, and the keys whose
    features it had, as far as they can be read.
    """

    name: str
    reason: str
    aside: Path
    keys: tuple[str, ...]


def write_shard(
    folder: Path,
    fingerprint: str,
    feature_size: int,
    keys: Sequence[str],
    blocks: Iterable[Float32Array],
) -> str:
    """Write one shard into `folder` and return its name; it appears there completely, synced, or not at all.

    `keys` are the m feature keys of the rows, `blocks` the rows' features (b, `feature_size`) in the same order, m in
    all; one block is in memory at a time.

    Raises:
        ValueError: blocks and keys do not fit together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{secrets.token_hex(8)}.part"
    digest, stored = hashlib.sha256(), 0
    try:
        with h5py.File(temporary, "x") as file:
            # Of fixed length: a flipped bit in HDF5's global heap, where variable-length texts are, can make it loop.
            file.attrs["fingerprint"] = np.bytes_(fingerprint)
            file.create_dataset(FEATURE_KEYS, data=np.array(keys, "S64"))
            dataset = file.create_dataset(FEATURES, (len(keys), feature_size), "<f4")
            for block in blocks:
                rows = np.ascontiguousarray(block, "<f4")
                if rows.shape != (len(rows), feature_size) or stored + len(rows) > len(keys):
                    raise ValueError(f"features of shape {rows.shape} do not belong to {len(keys)} × {feature_size}")
                dataset[stored : stored + len(rows)] = rows
                digest.update(rows.data)
                stored += len(rows)
        if stored != len(keys):
            raise ValueError(f"{stored} rows of features for {len(keys)} keys")
        sync(temporary)
        name = _name(fingerprint, keys, digest.digest())
        temporary.replace(folder / name)
        sync(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return name


def open_shard(path: Path, fingerprint: str, feature_size: int) -> h5py.File:
    """Open a shard for reading, checked to be complete and of these features; the caller closes it.

    HDF5 itself detects that a file is shorter than it should be.

    Raises:
        ShardGone: it is not there.
        ShardDamaged: it cannot be read, or holds something else.
    """
    try:
        # Shards never change, so readers need no locks, which network file systems may not have.
        file = h5py.File(path, "r", locking=False)
    except FileNotFoundError:
        raise ShardGone(f"{path} is not there") from None
    except Exception as error:
        raise ShardDamaged(f"{path} cannot be read: {error}") from error
    try:
        with _read(path):
            problem = _problem(file, fingerprint, feature_size)
        if problem is not None:
            raise ShardDamaged(f"{path} {problem}")
    except ShardDamaged:
        file.close()
        raise
    return file


def read_keys(path: Path, fingerprint: str, feature_size: int) -> list[str]:
    """Return the feature keys of a shard's rows, in their order.

    Raises:
        ShardGone: it is not there.
        ShardDamaged: it cannot be read, or holds something else.
    """
    with open_shard(path, fingerprint, feature_size) as file, _read(path):
        return [str(key) for key in file[FEATURE_KEYS][()].astype("U64")]


def check_shard(path: Path, fingerprint: str, feature_size: int) -> None:
    """Read a whole shard and compare it with the digest in its name.

    Raises:
        ShardGone: it is not there.
        ShardDamaged: it cannot be read, or differs.
    """
    digest = hashlib.sha256()
    with open_shard(path, fingerprint, feature_size) as file, _read(path):
        dataset = file[FEATURES]
        step = block_rows(feature_size)
        for start in range(0, dataset.shape[0], step):
            digest.update(np.ascontiguousarray(dataset[start : start + step]).data)
        keys = [str(key) for key in file[FEATURE_KEYS][()].astype("U64")]
    if _name(fingerprint, keys, digest.digest()) != path.name:
        raise ShardDamaged(f"{path} does not hold what was written to it")


@contextmanager
def _read(path: Path) -> Iterator[None]:
    """Turn whatever HDF5 raises on a damaged file into `ShardDamaged`."""
    try:
        yield
    except (ShardDamaged, MemoryError):
        raise
    except Exception as error:
        raise ShardDamaged(f"{path} cannot be read: {error}") from error


def block_rows(width: int) -> int:
    """Return how many rows of `width` features make one block."""
    return max(1, BLOCK_BYTES // (4 * width))


def sweep(folder: Path) -> None:
    """Remove the unfinished files of writers that were killed long ago."""
    for path in folder.glob("*.part"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
        except FileNotFoundError:  # its writer has just finished
            continue


def _name(fingerprint: str, keys: Sequence[str], features: bytes) -> str:
    digest = hashlib.sha256(f"{fingerprint} {' '.join(keys)} ".encode() + features)
    return f"{digest.hexdigest()[:32]}.h5"


def _problem(file: Any, fingerprint: str, feature_size: int) -> str | None:
    features, keys = file.get(FEATURES), file.get(FEATURE_KEYS)
    if not isinstance(features, h5py.Dataset) or not isinstance(keys, h5py.Dataset):
        return "holds no features with their keys"
    if features.dtype != np.float32 or features.shape != (*keys.shape, feature_size) or keys.dtype != "S64":
        return f"holds {features.dtype} of shape {features.shape}, not {feature_size} features for each key"
    stored = file.attrs.get("fingerprint")
    if (stored.decode("ascii", "replace") if isinstance(stored, bytes) else stored) != fingerprint:
        return "holds the features of another backbone"
    return None
