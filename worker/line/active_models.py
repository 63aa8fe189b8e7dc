"""The models of the line, as a running worker sees them: reloaded within seconds, a judgement never by half of two."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from db.engine.database import Database, is_unavailable
from db.learning import model_registry
from db.learning.model_registry import Model
from worker.models.line_model import LineModel
from worker.models.registry import load_for_line
from worker.models.store import ModelError
from worker.runtime.waiting import retry_while_unavailable

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds between two looks into the database for other models."""


class ModelPair(NamedTuple):
    """The models of one moment, each None where there is none: the champion, which judges, and the shadow beside it."""

    champion: LineModel | None = None
    shadow: LineModel | None = None


class ActiveModels:
    """Holds the promoted model; one whose file cannot be trusted is refused and the one before stays.

    Beside it the model in shadow, if there is one; where that cannot be loaded, none judges alongside.
    """

    def __init__(self, database: Database, models: Path, fingerprint: str):
        """Look for models below `models`; only those made for features of `fingerprint` are loaded."""
        self._database = database
        self._models = models
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._champion_seen: str | None = None
        self._shadow_seen: str | None = None
        self._loaded = ModelPair()

    def current(self) -> ModelPair:
        """The models of this moment, by the database; the caller keeps them for a whole judgement."""
        with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_EVERY:
                try:
                    self._look()
                except Exception as error:
                    if not is_unavailable(error):
                        raise
                    # The verdict's own transaction waits for the database; this look can be made up for later.
                self._looked_at = time.monotonic()
            return self._loaded

    @property
    def champion_id(self) -> str | None:
        """The name of the champion that was loaded last, without a look into the database."""
        champion = self._loaded.champion
        return None if champion is None else champion.model_id

    @property
    def shadow_id(self) -> str | None:
        """The name of the shadow that was loaded last, without a look into the database."""
        shadow = self._loaded.shadow
        return None if shadow is None else shadow.model_id

    @property
    def refused(self) -> bool:
        """Whether another model judges than the one that the database names, because that one cannot be used."""
        return self._champion_seen != self.champion_id

    def start(self) -> None:
        """Load the models there are, before the first message.

        Raises:
            ModelError: there is a champion, and this worker cannot use it.
        """
        champion, shadow = retry_while_unavailable(self._registered)
        if champion is not None:
            self._loaded = ModelPair(load_for_line(champion, self._models, self._fingerprint))
            self._champion_seen = champion.model_id
        self._load_shadow(shadow)

    def _registered(self) -> tuple[Model | None, Model | None]:
        with self._database.reading() as session:
            return model_registry.champion(session), model_registry.shadow(session)

    def _look(self) -> None:
        """Load the models that the database names, where they are others than before."""
        champion, shadow = self._registered()
        if champion is not None and champion.model_id != self._champion_seen:
            self._champion_seen = champion.model_id
            try:
                model = load_for_line(champion, self._models, self._fingerprint)
            except ModelError as error:
                log.error(
                    "the promoted model is refused, the one before stays", model=champion.model_id, reason=str(error)
                )
            else:
                self._loaded = self._loaded._replace(champion=model)
                log.info("model in charge", model=champion.model_id)
        self._load_shadow(shadow)

    def _load_shadow(self, shadow: Model | None) -> None:
        name = shadow.model_id if shadow is not None else None
        if name == self._shadow_seen:
            return
        self._shadow_seen = name
        model = None
        if shadow is not None:
            try:
                model = load_for_line(shadow, self._models, self._fingerprint)
            except Exception as error:  # noqa: BLE001 - whatever it is, the line goes on without it
                log.error("the model in shadow is refused", model=name, reason=str(error))
        self._loaded = self._loaded._replace(shadow=model)
        log.info("model in shadow", model=self.shadow_id)
