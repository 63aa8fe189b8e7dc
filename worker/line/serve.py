"""A worker: a parent that takes messages and watches, and processes that judge."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from celery.signals import worker_process_init
from prometheus_client.metrics_core import Metric

from db.engine.database import Database
from producer.telemetry.metrics_server import exposed
from worker.broker.app import make_app
from worker.broker.kombu_fixes import check_access
from worker.broker.load_shedding import LoadShedder
from worker.broker.messages import MessageSender
from worker.line.captures_ahead import CapturesAheadWatch
from worker.line.child import Child, active_models, in_use
from worker.line.connector_reports import ConnectorReportsWatch
from worker.line.external_insert_changes import ExternalInsertChangesWatch
from worker.line.image_fetch import wait_for_store
from worker.line.incomplete_checks import IncompleteWatch
from worker.line.missed_answers import MissedAnswersWatch
from worker.line.notifier import Notifier
from worker.line.plant_news import PlantNewsWatch
from worker.line.requeue import RequeueWatch
from worker.line.tasks import register
from worker.line.unknown_heads import UnknownHeadsWatch
from worker.monitoring.celery_worker import CeleryWorker, exit_on_sigterm, pool_processes
from worker.monitoring.heartbeat import Heart
from worker.monitoring.line_state import LineState
from worker.monitoring.metrics import WorkerMetrics, worker_families
from worker.monitoring.plant_metrics import FunctionCollector, watch_line, watch_process
from worker.monitoring.pool_metrics import pool_families
from worker.monitoring.reports import Reader, Report, Reports
from worker.monitoring.watchdog import Watchdog
from worker.runtime import failpoints
from worker.runtime.forking import keep_log_usable
from worker.runtime.waiting import retry_while_unavailable
from worker.settings import WorkerSettings


def serve(settings: WorkerSettings, ready_file: Path | None = None) -> int:
    """Judge captures until SIGTERM or Ctrl-C, and return the process's exit code.

    This process takes the messages, and `settings.processes` children judge them. A child that dies, for whatever
    reason, is replaced, and its message is delivered again. A database, an image store or a Redis that is away is
    waited for. When it must stop, the worker takes nothing new and finishes what is in hand within `settings.grace`;
    messages that wait for a service that is away go back into the queue. When the grace time is over, it ends at once,
    with an exit code of `worker.monitoring.watchdog`, and its children with it.

    `ready_file` is written when the first message may come.

    Raises:
        SchemaOutdated: the database has no or older tables.
        ModelError: the promoted model cannot be used by this worker.
        ValueError: Redis or the database is not named as it should be, a password or certificate is not there, or Redis
            does not let this process in; or the store of networks is not named as it should be.
    """
    failpoints.arm(settings.failpoint)
    redis_url = settings.broker_url()
    exit_on_sigterm()
    keep_log_usable()
    state, metrics, reports = LineState(pool_processes), WorkerMetrics(), Reports()

    def take(report: Report) -> None:
        state.take(report)
        metrics.add(report.counts)

    with ExitStack() as parts:
        heart = parts.enter_context(Heart(settings.heartbeat_path(), state))
        parts.enter_context(Watchdog(state, settings.grace))
        database = Database(settings.url, forks=True)
        parts.callback(database.close)
        watch_process(metrics.registry, heart, state)
        watch_line(metrics.registry, database, redis_url)
        metrics.registry.register(FunctionCollector(lambda: _families(state)))
        metrics.registry.register(FunctionCollector(lambda: pool_families(pool_processes())))
        parts.enter_context(exposed(metrics.registry, settings.metrics_port, settings.metrics_address))
        check_access(redis_url)
        retry_while_unavailable(database.check_schema)
        # Here, for all children: what they could not use must not end one after the other.
        models = active_models(settings, database)
        models.start()
        state.use(in_use(models))
        del models
        wait_for_store(settings.image_store())
        notifier = Notifier(redis_url, settings.plant_stream)
        parts.callback(notifier.close)
        sender = MessageSender(redis_url)
        parts.callback(sender.close)
        child = Child(settings, reports)
        app = make_app(redis_url)
        register(app, child)
        parts.enter_context(Reader(reports, take))
        parts.enter_context(RequeueWatch(database, sender))
        parts.enter_context(IncompleteWatch(database, notifier, metrics, settings.check_timeout))
        parts.enter_context(CapturesAheadWatch(database))
        parts.enter_context(UnknownHeadsWatch(database, state))
        parts.enter_context(ExternalInsertChangesWatch(database, redis_url, notifier))
        parts.enter_context(PlantNewsWatch(database, notifier))
        parts.enter_context(MissedAnswersWatch(database, redis_url, notifier))
        parts.enter_context(ConnectorReportsWatch(database, redis_url))
        parts.enter_context(LoadShedder(redis_url))
        gc.collect()
        gc.freeze()  # what is there is never looked at again, so the children share its memory
        return CeleryWorker(
            app,
            state,
            pool="prefork",
            concurrency=settings.processes,
            hostname=f"inspect@{socket.gethostname()}",
            ready_message="ready",
            ready_fields={"processes": settings.processes},
            ready_file=ready_file,
            receivers=[(worker_process_init, child.begin)],
        ).run()


def _families(state: LineState) -> Iterator[Metric]:
    models = state.models
    return worker_families(
        in_hand=state.in_hand, champion=models.champion, shadow=models.shadow, refused=models.refused
    )
