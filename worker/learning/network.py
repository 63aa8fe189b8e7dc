"""The network that learning extracts with: out of the store, or built, where this machine can and it is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import structlog

from db.engine.database import Database
from db.learning import reviews
from producer.configuration.home_folder import at_home
from producer.files.file_digest import file_digest
from producer.runtime.arrays import UInt8Array
from producer.storage.store import ImageMissing, ImageStore
from worker.backbones.names import BackboneError
from worker.backbones.weight_store import WeightsStore
from worker.features.extraction import read_image
from worker.networks.loaded_network import Network
from worker.networks.names import NetworkName, parse_network_name
from worker.networks.representative import FEWEST, Representative, drawn, some_of
from worker.networks.store import NetworkMissing, NetworkStore
from worker.runtime.extras import how_to_install
from worker.runtime.progress import Progress
from worker.settings import WorkerSettings

log = structlog.get_logger()

Pictures = Callable[[NetworkName, tuple[int, int]], Representative | None]
"""Returns pictures of a network's input size to measure its values on; None where its arithmetic needs none."""


def ready_network(settings: WorkerSettings, database: Database, images: ImageStore) -> Network:
    """Return the network of `settings.backbone`; where it is not in the store, it is built and kept first.

    An int8 network is measured on the labelled set, where that has pictures enough, else on drawn ones.

    Raises:
        WeightsMissing, WeightsUnfit: its weights are not here, or are not its own.
        NetworkUnfit: its file is damaged.
        BackboneError: there is no such network, or it is missing and what builds it is not installed.
        OSError: a store cannot be read or written.
    """
    return stored_or_built(settings, lambda name, size: _pictures(name, size, database, images))


def stored_or_built(settings: WorkerSettings, pictures: Pictures) -> Network:
    """Return the network of `settings.backbone`; where it is not in the store, it is built on `pictures` and kept.

    Raises:
        As `ready_network` does.
    """
    store = NetworkStore(settings.networks_root())
    weights = _weights_digest(settings)
    try:
        return store.open(settings.backbone, weights)
    except NetworkMissing as missing:
        log.info("the network is not here and is built", backbone=settings.backbone, networks=store.root)
        try:
            from worker.backbones import families
            from worker.networks import building  # brings TensorFlow with it
        except ModuleNotFoundError as error:
            raise BackboneError(f"{missing}; {how_to_install(error) or error}") from error
    name = parse_network_name(settings.backbone)
    built = building.build(
        name,
        settings.weights,
        weights_folder=settings.weights_path(),
        representative=pictures(name, families.input_size(name.family)),
        progress=_logged(),
    )
    kept = store.add(built.data, built.manifest)
    log.info("the network is built", network=kept.name, digest=kept.digest[:12], megabytes=round(kept.size / 1e6, 1))
    # Not just this one: where two learners have built it, on other pictures, both take the one that was built first.
    return store.open(settings.backbone, weights)


def _weights_digest(settings: WorkerSettings) -> str | None:
    """The digest of the weights that the settings name; None where they do not say which."""
    if settings.weights in (None, "imagenet"):
        return None
    file = at_home(Path(str(settings.weights)))
    if file.is_file():
        return file_digest(file)
    return WeightsStore(settings.weights_path()).named(str(settings.weights)).digest


def _pictures(
    name: NetworkName, size: tuple[int, int], database: Database, images: ImageStore
) -> Representative | None:
    if name.arithmetic != "int8":
        return None
    with database.reading() as session:
        labelled = reviews.labelled(session)
    pixels: list[UInt8Array] = []
    for item in some_of(labelled):
        try:
            pixels.append(read_image(item, images, size))
        except (ImageMissing, ValueError) as error:
            log.warning("a photograph is left out", capture=str(item.capture_id), reason=str(error))
    return of_labelled(pixels, size)


def of_labelled(pixels: Sequence[UInt8Array], size: tuple[int, int]) -> Representative:
    """Return labelled photographs, of the network's input size, to measure it on; drawn ones where they are too few."""
    if len(pixels) < FEWEST:
        return drawn(size, _logged())
    return Representative(np.stack(pixels), "labelled photographs")


def _logged() -> Progress:
    """What logs the beginning of each step."""
    seen: set[str] = set()

    def progress(step: str, done: int, total: int) -> None:  # noqa: ARG001
        if step not in seen:
            seen.add(step)
            log.info("building the network", step=step)

    return progress
