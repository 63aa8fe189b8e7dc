"""The model in charge, as a running worker sees it: taken anew within seconds, never half of two."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

import structlog

import db.models
from db.session import Database, is_unavailable
from worker.inspection import LINE_CLASSES, LineModel
from worker.model_store import ModelError, load
from worker.patience import patiently

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds between two looks into the database for a new champion."""


class Champion:
    """Holds the promoted model; one whose file cannot be trusted is refused and the one before stays."""

    def __init__(self, database: Database, models: Path, fingerprint: str):
        """Look for the champion below ``models``; only one made for features of ``fingerprint`` is taken."""
        self._database = database
        self._models = models
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._seen: str | None = None
        self._model: LineModel | None = None

    def current(self) -> LineModel | None:
        """The model in charge, None while there is none; the caller keeps what it got for a whole judgement."""
        with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_EVERY:
                try:
                    self.look()
                except Exception as error:
                    if not is_unavailable(error):
                        raise
                    # The verdict's own transaction waits for the database; this look can be made up for later.
                self._looked_at = time.monotonic()
            return self._model

    def start(self) -> None:
        """Take the champion there is, before the first message.

        Raises:
            ModelError: there is one, and this worker cannot use it.
        """
        champion = patiently(self._named)
        if champion is not None:
            self._model = load_champion(champion, self._models, self._fingerprint)
            self._seen = champion.model_id

    def _named(self) -> db.models.Model | None:
        with self._database.reading() as session:
            return db.models.champion(session)

    def look(self) -> None:
        """Take the champion that the database names, if it is a new one."""
        champion = self._named()
        if champion is None or champion.model_id == self._seen:
            return
        self._seen = champion.model_id
        try:
            self._model = load_champion(champion, self._models, self._fingerprint)
        except ModelError as error:
            log.error("the promoted model is refused, the one before stays", model=champion.model_id, reason=str(error))
        else:
            log.info("model in charge", model=champion.model_id)


def load_champion(champion: db.models.Model, models: Path, fingerprint: str) -> LineModel:
    """Load a registered model for the line.

    Raises:
        ModelError: its file is missing, damaged or altered, or it was made for other features or other classes.
    """
    if champion.fingerprint != fingerprint:
        raise ModelError(
            f"model {champion.model_id} was trained on features of {champion.backbone}, which this worker does not run "
            f"(set INSERTS_BACKBONE={champion.backbone} with the same weights, or promote a model of this backbone)"
        )
    classifier, manifest = load(models / champion.artefact, fingerprint)
    if manifest.classifier_sha256 != champion.digest:
        raise ModelError(f"model {champion.model_id} is not the file that was registered")
    if classifier.classes != LINE_CLASSES:
        raise ModelError(f"model {champion.model_id} tells {classifier.classes} apart, not {LINE_CLASSES}")
    return LineModel(champion.model_id, classifier)
