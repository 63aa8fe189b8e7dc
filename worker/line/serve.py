"""A worker process: its parts, built once before the first message, and Celery's loop around them."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

from db.engine.database import Database
from producer.telemetry.metrics_server import exposed
from worker.broker.app import make_app
from worker.broker.kombu_fixes import check_access
from worker.broker.load_shedding import LoadShedder
from worker.line.image_fetch import wait_for_store
from worker.line.incomplete_checks import IncompleteWatch
from worker.line.inspector import Inspector
from worker.line.judge_start import started_judge
from worker.line.notifier import Notifier
from worker.line.requeue import RequeueWatch
from worker.line.tasks import register
from worker.monitoring.celery_worker import CeleryWorker, exit_on_sigterm
from worker.monitoring.heartbeat import Heart
from worker.monitoring.metrics import WorkerMetrics
from worker.monitoring.plant_metrics import watch_line, watch_process
from worker.monitoring.process_state import ProcessState
from worker.monitoring.watchdog import Watchdog
from worker.runtime import failpoints
from worker.runtime.waiting import retry_while_unavailable
from worker.settings import WorkerSettings


def serve(settings: WorkerSettings, ready_file: Path | None = None) -> int:
    """Judge captures until told to stop (SIGTERM, Ctrl-C); the process's exit code comes back.

    A database, an image store or a Redis that is away is waited for. Told to stop, the worker takes nothing new and
    finishes what is in hand within `settings.grace`; what waits for one that is away then goes back into the queue.
    Where a forward pass hangs or the grace time is over, the process ends at once, with an exit code of
    `worker.monitoring.watchdog`.

    `ready_file` is written when the first message may come.

    Raises:
        SchemaOutdated: the database has no or older tables.
        ModelError: the promoted model, or its network, cannot be used by this worker.
        ValueError: Redis or the database is not named as it should be, a password or certificate is not there, or Redis
            does not let this process in.
    """
    failpoints.arm(settings.failpoint)
    redis_url = settings.broker_url()
    exit_on_sigterm()
    state = ProcessState(settings.backbone)
    metrics = WorkerMetrics()
    with ExitStack() as parts:
        heart = parts.enter_context(Heart(settings.heartbeat_path(), state))
        parts.enter_context(Watchdog(state, settings.forward_timeout, settings.grace))
        database = Database(settings.url)
        parts.callback(database.close)
        watch_process(metrics.registry, heart, state)
        watch_line(metrics.registry, database, redis_url)
        parts.enter_context(exposed(metrics.registry, settings.metrics_port, settings.metrics_address))
        check_access(redis_url)
        retry_while_unavailable(database.check_schema)
        images = settings.image_store()
        judge = started_judge(settings, database, metrics, state)
        wait_for_store(images)
        notifier = Notifier(redis_url)
        parts.callback(notifier.close)
        inspector = Inspector(database, images, judge, notifier, metrics)
        parts.callback(inspector.close)
        app = make_app(redis_url)
        register(app, inspector)
        parts.enter_context(RequeueWatch(database, inspector))
        parts.enter_context(IncompleteWatch(database, notifier, metrics, settings.check_timeout))
        parts.enter_context(LoadShedder(redis_url))
        hostname = f"inspect@{socket.gethostname()}"
        worker = CeleryWorker(
            app, state, threads=settings.threads, hostname=hostname, ready_message="ready", ready_file=ready_file
        )
        return worker.run()
