"""The feature stores below one folder, one a fingerprint: begun, found, listed and removed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from producer.files.durable_files import replaced_file
from worker.features.store import DIGEST, FeatureStore, FeatureStoreError

MANIFEST: Final = "generation.json"


def begin(root: Path, *, fingerprint: str, backbone: str, feature_size: int) -> FeatureStore:
    """Return the feature store of that fingerprint below `root`, which is created where there is none.

    Raises:
        FeatureStoreError: there is one of another feature size, or the fingerprint is none.
    """
    existing = find(root, fingerprint)
    if existing is None:
        with replaced_file(root / fingerprint / MANIFEST) as path:
            path.write_text(json.dumps({"backbone": backbone, "feature_size": feature_size}) + "\n", "utf-8")
        return FeatureStore(root / fingerprint, fingerprint=fingerprint, backbone=backbone, feature_size=feature_size)
    if existing.feature_size != feature_size:
        raise FeatureStoreError(f"{existing.folder} has {existing.feature_size} features an image, not {feature_size}")
    return existing


def find(root: Path, fingerprint: str) -> FeatureStore | None:
    """Return the feature store of that fingerprint below `root`, or None.

    Raises:
        FeatureStoreError: its manifest is damaged, or the fingerprint is none.
    """
    folder = root / _checked(fingerprint)
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        backbone, size = str(manifest["backbone"]), int(manifest["feature_size"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise FeatureStoreError(f"{folder / MANIFEST} is damaged ({error}); remove it to have it made again") from error
    return FeatureStore(folder, fingerprint=fingerprint, backbone=backbone, feature_size=size)


def all_stores(root: Path) -> list[FeatureStore]:
    """Return all feature stores below `root`, by fingerprint.

    Raises:
        FeatureStoreError: one is damaged.
    """
    stores = (find(root, name) for name in fingerprints(root))
    return [store for store in stores if store is not None]


def fingerprints(root: Path) -> list[str]:
    """Return the fingerprints that have a folder below `root`, in order."""
    return sorted(path.name for path in root.glob("*/") if DIGEST.fullmatch(path.name))


def remove(root: Path, fingerprint: str) -> bool:
    """Remove a feature store that is no longer needed, with all its features; True if there was one.

    A removal that was killed is finished by the next removal of any store.

    Raises:
        FeatureStoreError: the fingerprint is none.
    """
    folder = root / _checked(fingerprint)
    there = folder.is_dir()
    if there:
        folder.rename(root / f".{fingerprint}.removed")
    for leftover in root.glob(".*.removed"):
        shutil.rmtree(leftover)
    return there


def _checked(fingerprint: str) -> str:
    if not DIGEST.fullmatch(fingerprint):
        raise FeatureStoreError(f"a fingerprint has 64 hexadecimal digits, not {fingerprint!r}")
    return fingerprint
