"""The processes of learning, beside the line's: a worker for its tasks, and beat, which schedules them."""

from __future__ import annotations

import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import structlog

from db.engine.database import Database
from producer.telemetry.metrics_server import exposed
from worker.learning.context import Learning
from worker.learning.process_state import TICK_LIMIT, BeatVitals, LearnVitals
from worker.monitoring.heartbeat import Heart
from worker.monitoring.metrics import LearnMetrics, learn_families
from worker.monitoring.plant_metrics import Families, watch_learning, watch_process
from worker.monitoring.watchdog import Watchdog
from worker.runtime import failpoints
from worker.runtime.waiting import patiently, stop_waiting
from worker.settings import WorkerSettings

if TYPE_CHECKING:
    from worker.backbones.backbone import Backbone

log = structlog.get_logger()


@contextmanager
def learning_with(settings: WorkerSettings) -> Iterator[Learning]:
    """Yield what learning works with, by these settings. The network is loaded when it is first needed.

    Raises:
        SchemaOutdated: the database has no or older tables.
    """

    @cache
    def backbone() -> Backbone:
        from worker.backbones.backbone import load_backbone

        return load_backbone(settings.backbone, settings.weights, weights_folder=settings.weights_path())

    database = Database(settings.url)
    try:
        patiently(database.check_schema)
        yield Learning(
            database=database,
            images=settings.image_store(),
            features=settings.features_path(),
            models=settings.models_path(),
            evaluations=settings.evaluations_path(),
            backbone=backbone,
            costs=settings.costs(),
            enough_new_labels=settings.enough_new_labels,
        )
    finally:
        database.close()


def serve_learning(settings: WorkerSettings) -> int:
    """Run learning's tasks until a signal to stop (SIGTERM, Ctrl-C); return the process's exit code.

    While Redis or the database is away it waits. After the signal it takes no new task, and the running one has
    `settings.grace` seconds to end; if it does not, it is cut off, which does no harm, and is scheduled again.

    Raises:
        SchemaOutdated: the database has no or older tables.
        ValueError: Redis's URL is wrong, or Redis does not let this process in.
    """
    from celery.signals import task_postrun, task_prerun, worker_ready, worker_shutting_down

    from worker.broker.kombu_fixes import check_access
    from worker.learning.app import make_learn_app
    from worker.learning.tasks import register

    failpoints.arm(settings.failpoint)
    signal.signal(signal.SIGTERM, _leave)  # until Celery's loop has its own; process 1 of a container has none
    vitals = LearnVitals(settings.backbone)

    def stop(**_: object) -> None:
        vitals.stop()
        stop_waiting()

    def ready(sender: Any, **_: object) -> None:
        sender.timer.call_repeatedly(1.0, vitals.turn)  # Celery's loop turns while a job runs in its thread
        vitals.ready()
        log.info("ready to learn")

    with ExitStack() as parts:
        heart = parts.enter_context(Heart(settings.heartbeat_path("learn"), vitals))
        metrics = LearnMetrics()
        vitals.on_end = metrics.ended
        watch_process(metrics.registry, heart, vitals)
        metrics.registry.register(Families(lambda: learn_families(job=vitals.running())))
        parts.enter_context(exposed(metrics.registry, settings.metrics_port, settings.metrics_address))
        parts.enter_context(Watchdog(vitals, math.inf, settings.grace))
        check_access(settings.broker_url())
        learning = parts.enter_context(learning_with(settings))
        watch_learning(metrics.registry, learning.database)
        app = make_learn_app(settings)
        register(app, learning, settings.reextract_every)
        worker = app.Worker(
            # A thread beside Celery's loop: a job may take hours, and the loop must react to signals and Redis.
            pool="threads",
            concurrency=1,
            hostname=f"learn-{os.getpid()}@{socket.gethostname()}",
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        vitals.is_connected = lambda: worker.consumer.connection is not None
        signals: list[tuple[Any, Callable[..., None]]] = [
            (task_prerun, vitals.begin),
            (task_postrun, vitals.end),
            (worker_ready, ready),
            (worker_shutting_down, stop),
        ]
        for event, receiver in signals:
            event.connect(receiver, weak=False)
            parts.callback(event.disconnect, receiver)
        worker.start()
    return int(worker.exitcode or 0)


def run_beat(settings: WorkerSettings) -> None:
    """Send learning's tasks when they are due, until SIGTERM or Ctrl-C; waits for Redis.

    Several beats do no harm: what is sent twice is done once.

    Raises:
        ValueError: Redis's URL is wrong, or Redis does not let this process in.
    """
    from celery.signals import beat_init

    from worker.broker.kombu_fixes import check_access
    from worker.learning.app import make_learn_app

    check_access(settings.broker_url())
    vitals = BeatVitals()
    beat_init.connect(vitals.ready, weak=False)
    settings.schedule_path().parent.mkdir(parents=True, exist_ok=True)
    beat = make_learn_app(settings).Beat(
        schedule=str(settings.schedule_path()), loglevel="WARNING", quiet=True, redirect_stdouts=False
    )
    with Heart(settings.heartbeat_path("beat"), vitals, loop_limit=TICK_LIMIT):
        beat.run()


def _leave(*_: object) -> NoReturn:
    """Exit at once: no task is running yet."""
    sys.exit(0)
