"""A process that judges: what it makes for itself after the fork, because no connection may be shared across one."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

import structlog

from db.engine.database import Database
from worker.broker.messages import MessageSender
from worker.line.active_models import ActiveModels
from worker.line.events import entries_of
from worker.line.inspector import Inspector
from worker.line.judging import Judge
from worker.line.notifier import Notifier
from worker.line.stations import Stations
from worker.monitoring.celery_worker import STOP_WAITING
from worker.monitoring.reports import ChildMetrics, ModelsInUse, Reporter, Reports
from worker.networks.store import NetworkStore
from worker.runtime.in_hand import InHand
from worker.runtime.time_limit import ends_after, show_where_it_hung
from worker.runtime.waiting import forget_outages, stop_waiting
from worker.settings import WorkerSettings

log = structlog.get_logger()


@dataclass
class _Tools:
    inspector: Inspector
    reporter: Reporter


class Child:
    """What the parent makes before the fork for its children, and each child by itself after it (`begin`)."""

    def __init__(self, settings: WorkerSettings, reports: Reports):
        self._settings = settings
        self._reports = reports
        self._in_hand = InHand()
        self._parent = os.getpid()
        self._tools: _Tools | None = None

    def begin(self, **_: object) -> None:
        """Begin a child: Celery calls this after the fork.

        It ends when its parent says so, or dies (Celery has asked the kernel for a SIGKILL then; where that was too
        late, it ends here). It leaves SIGTERM to its parent, because SIGTERM may be sent to all processes of a service.
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(STOP_WAITING, lambda *_: stop_waiting())
        show_where_it_hung()
        if os.getppid() != self._parent:
            os._exit(0)
        forget_outages()
        settings, metrics = self._settings, ChildMetrics()
        database = Database(settings.url)
        models = active_models(settings, database)
        try:
            models.current()  # so that the first message does not wait for them
        except Exception:
            log.exception("the models could not be loaded yet")
        redis_url = settings.broker_url()
        inspector = Inspector(
            database,
            settings.image_store(),
            Judge(models, metrics, Stations(database)),
            Notifier(redis_url, settings.plant_stream),
            MessageSender(redis_url),
            metrics,
            in_hand=self._in_hand,
            limit=lambda: ends_after(settings.judge_timeout),
        )
        self._tools = _Tools(inspector, Reporter(self._reports, metrics, lambda: in_use(models)))

    def inspect(self, message: object, message_id: str, retries: int) -> None:
        """Handle a message; called in a child."""
        assert self._tools is not None, "no process begins a message before it has begun itself"  # noqa: S101
        with self._tools.reporter.message(len(entries_of(message))):
            self._tools.inspector.inspect(message, message_id=message_id, retries=retries)


def active_models(settings: WorkerSettings, database: Database) -> ActiveModels:
    """The models that a worker with these settings judges by.

    Raises:
        ValueError: the store of networks is not named as it should be.
    """
    return ActiveModels(database, settings.models_path(), NetworkStore(settings.networks_root()))


def in_use(models: ActiveModels) -> ModelsInUse:
    """The models that judge, as reported to the parent."""
    return ModelsInUse(models.champion_id, models.shadow_id, models.refused)
