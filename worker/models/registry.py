"""Connects a model's folder with its row in the database: makes the row, and loads the model for the line by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from db.learning.learnt_forms import learnt_forms
from db.learning.model_registry import Model
from producer.contract.reasons import models as why
from producer.contract.vocabulary import DAMAGE_KINDS
from worker.backbones.names import BackboneError
from worker.models.line_model import LINE_CLASSES, LineModel
from worker.models.manifest import ModelManifest
from worker.models.store import ModelError, read
from worker.networks.loaded_network import Network
from worker.networks.names import parse_network_name
from worker.networks.store import NetworkStore


@dataclass(frozen=True, eq=False)
class ActiveModel:
    """A model that is ready to judge: its planes, and the network whose features they are for.

    `forms` are how the photographs were cut that it learned from (`db.learning.learnt_forms`).
    """

    model: LineModel
    network: Network
    forms: frozenset[str] = frozenset({"box"})

    @property
    def model_id(self) -> str:
        """The model's id, as its verdicts carry it."""
        return self.model.model_id


class NoNetwork(ModelError):
    """A model was made before networks were files: no worker can compute the features that it judges by."""


def model_of(manifest: ModelManifest, artefact: str) -> Model:
    """Return the row of a model whose folder in the model store is `artefact`."""
    return Model(
        model_id=manifest.model_id,
        backbone=manifest.backbone,
        fingerprint=manifest.fingerprint,
        created_at=manifest.created_at,
        classes=manifest.classes,
        trained_on=manifest.trained_on,
        metrics=manifest.metrics,
        artefact=artefact,
        digest=manifest.classifier_sha256,
        snapshot_id=manifest.snapshot_id,
        network_digest=manifest.network,
    )


def check_network(model: Model) -> str:
    """Return the digest of a model's network.

    Raises:
        NoNetwork: it has none.
    """
    if model.network_digest is None:
        raise NoNetwork(why.NO_NETWORK(model=model.model_id))
    return model.network_digest


def load_for_line(model: Model, models: Path, networks: NetworkStore, loaded: Sequence[Network] = ()) -> ActiveModel:
    """Load a registered model with its network, which is one of those that are `loaded` already where it is the same.

    Raises:
        NoNetwork: it was made before networks were files.
        ModelError: its file or its network's is missing, damaged or altered, it is for other features or other
            classes, or the network does not compute here what it computed where it was built.
        OSError: the store of networks cannot be read.
    """
    digest = check_network(model)
    stored = read(models / model.artefact, model.fingerprint)
    # The id covers what the arrays' digest does not: calibration and band.
    known = (stored.manifest.classifier_sha256, stored.manifest.model_id, stored.manifest.network)
    if known != (model.digest, model.model_id, digest):
        raise ModelError(why.NOT_AS_REGISTERED(model=model.model_id))
    if stored.classifier.classes != LINE_CLASSES:
        classes = stored.classifier.classes
        raise ModelError(why.OTHER_CLASSES(model=model.model_id, classes=classes, known=LINE_CLASSES))
    if stored.kind is not None and not {*stored.kind.classes} <= {*DAMAGE_KINDS}:
        raise ModelError(why.OTHER_KINDS(model=model.model_id, classes=stored.kind.classes, known=DAMAGE_KINDS))
    network = next((network for network in loaded if network.fingerprint == model.fingerprint), None)
    return ActiveModel(stored.line_model(), network or _network(model, digest, networks), learnt_forms(model))


def _network(model: Model, digest: str, networks: NetworkStore) -> Network:
    try:
        manifest = networks.with_digest(digest)
        name = parse_network_name(model.backbone)
        network = Network(networks.read(manifest), manifest, name.outputs, edge=name.edge)
        network.check()
    except BackboneError as error:
        raise ModelError(why.WITHOUT_NETWORK(model=model.model_id, problem=str(error))) from error
    if network.fingerprint != model.fingerprint:
        raise ModelError(
            why.OTHER_PIXELS(model=model.model_id, learnt=model.fingerprint[:12], here=network.fingerprint[:12])
        )
    return network
