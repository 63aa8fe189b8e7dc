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
from producer.contract.reasons.models import NO_MODEL, NONE_CAN_JUDGE
from producer.contract.reasons.template import Reason
from worker.models.registry import ActiveModel, NoNetwork, load_for_line
from worker.models.store import ModelError
from worker.networks.store import NetworkStore
from worker.runtime.waiting import DATABASE, Service, retry_while_unavailable

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds between two looks into the database for other models."""


class ModelPair(NamedTuple):
    """The models of one moment, each None where there is none: the champion, which judges, and the shadow beside it.

    `why_none` says why there is no champion. A champion comes with its network, and so does a shadow, which may be the
    same one.
    """

    champion: ActiveModel | None = None
    shadow: ActiveModel | None = None
    why_none: Reason = NO_MODEL()


class ActiveModels:
    """Holds the promoted model and its network; an untrustworthy one is refused, and the previous one stays.

    It also holds the model in shadow, if there is one; if that cannot be loaded, no shadow judges.
    """

    def __init__(self, database: Database, models: Path, networks: NetworkStore):
        """Look for models below `models`, and for their networks in `networks`."""
        self._database = database
        self._models = models
        self._networks = networks
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._champion_seen: Model | None = None
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
        """Whether the model that judges is not the one that the database names, because that one cannot be used."""
        return self._champion_seen is not None and self._champion_seen.model_id != self.champion_id

    def start(self) -> None:
        """Load the models there are, before the first message; a database or a store that is away is waited for.

        A champion that was made before networks were files is refused in the log: until there is another, no model
        judges.

        Raises:
            ModelError: there is a champion, and this worker cannot use it.
        """
        champion, shadow = retry_while_unavailable(self._registered)
        if champion is not None:
            try:
                loaded = retry_while_unavailable(lambda: self._load(champion), DATABASE, _NETWORKS)
            except NoNetwork as error:
                self._refuse(champion, error)
            else:
                self._loaded = ModelPair(loaded)
            self._champion_seen = champion
        self._load_shadow(shadow)

    def _registered(self) -> tuple[Model | None, Model | None]:
        with self._database.reading() as session:
            return model_registry.champion(session), model_registry.shadow(session)

    def _look(self) -> None:
        """Load the models that the database names, where they are others than before."""
        champion, shadow = self._registered()
        if champion is not None and champion != self._champion_seen:
            try:
                loaded = self._load(champion)
            except OSError as error:  # the store is away: the next look may find it again
                log.warning("the promoted model waits for its network", model=champion.model_id, reason=str(error))
                return
            except ModelError as error:
                self._refuse(champion, error)
            else:
                self._loaded = self._loaded._replace(champion=loaded)
                log.info("model in charge", model=champion.model_id)
            self._champion_seen = champion
        self._load_shadow(shadow)

    def _load(self, model: Model) -> ActiveModel:
        held = [active.network for active in (self._loaded.champion, self._loaded.shadow) if active is not None]
        return load_for_line(model, self._models, self._networks, held)

    def _refuse(self, champion: Model, error: ModelError) -> None:
        log.error("the promoted model is refused, the one before stays", model=champion.model_id, reason=str(error))
        self._loaded = self._loaded._replace(why_none=NONE_CAN_JUDGE(problem=str(error)))

    def _load_shadow(self, shadow: Model | None) -> None:
        name = shadow.model_id if shadow is not None else None
        if name == self._shadow_seen:
            return
        self._shadow_seen = name
        loaded = None
        if shadow is not None:
            try:
                loaded = self._load(shadow)
            except Exception as error:  # noqa: BLE001 - whatever it is, the line goes on without it
                log.error("the model in shadow is refused", model=name, reason=str(error))
        self._loaded = self._loaded._replace(shadow=loaded)
        log.info("model in shadow", model=self.shadow_id)


def _is_away(error: BaseException) -> bool:
    return isinstance(error, OSError)


_NETWORKS: Final = Service("the store of networks", _is_away)
