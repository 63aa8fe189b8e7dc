"""The process of learning, beside the line's: a worker for its tasks."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from db.engine.database import Database
from producer.telemetry.metrics_server import exposed
from worker.learning.context import Learning
from worker.learning.found_edge import backbone_in_use
from worker.learning.network import ready_network
from worker.learning.process_state import LearnerState
from worker.monitoring.heartbeat import Heart
from worker.monitoring.metrics import LearnMetrics, learn_families
from worker.monitoring.plant_metrics import FunctionCollector, watch_learning, watch_process
from worker.monitoring.watchdog import Watchdog
from worker.networks.loaded_network import Network
from worker.runtime import failpoints
from worker.runtime.waiting import retry_while_unavailable
from worker.settings import WorkerSettings


@contextmanager
def learning_with(settings: WorkerSettings) -> Iterator[Learning]:
    """Yield what learning works with, by these settings. The network is made ready when it is first needed.

    Raises:
        SchemaOutdated: the database has no or older tables.
    """
    database = Database(settings.url)
    try:
        retry_while_unavailable(database.check_schema)
        images = settings.image_store()

        @cache
        def opened(backbone: str) -> Network:
            return ready_network(settings.model_copy(update={"backbone": backbone}), database, images)

        yield Learning(
            database=database,
            images=images,
            features=settings.features_path(),
            models=settings.models_path(),
            evaluations=settings.evaluations_path(),
            backbone=lambda: opened(backbone_in_use(settings.backbone, database)),
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
    from celery.signals import task_postrun, task_prerun

    from worker.broker.kombu_fixes import check_access
    from worker.learning.app import make_learn_app
    from worker.learning.tasks import register, train_where_none_can_judge
    from worker.monitoring.celery_worker import CeleryWorker, exit_on_sigterm

    failpoints.arm(settings.failpoint)
    exit_on_sigterm()
    metrics = LearnMetrics()
    state = LearnerState(settings.backbone, metrics)
    with ExitStack() as parts:
        heart = parts.enter_context(Heart(settings.heartbeat_path("learn"), state))
        watch_process(metrics.registry, heart, state)
        metrics.registry.register(FunctionCollector(lambda: learn_families(job=state.running())))
        parts.enter_context(exposed(metrics.registry, settings.metrics_port, settings.metrics_address))
        parts.enter_context(Watchdog(state, settings.grace))
        check_access(settings.broker_url())
        learning = parts.enter_context(learning_with(settings))
        watch_learning(metrics.registry, learning.database)
        app = make_learn_app(settings)
        register(app, learning, settings.reextract_every)
        train_where_none_can_judge(app, learning)
        hostname = f"learn-{os.getpid()}@{socket.gethostname()}"
        return CeleryWorker(
            app,
            state,
            # One job at a time, in a thread: its libraries must not be used before a fork.
            pool="threads",
            concurrency=1,
            hostname=hostname,
            ready_message="ready to learn",
            ready_fields={"backbone": settings.backbone},
            receivers=[(task_prerun, state.begin), (task_postrun, state.end)],
        ).run()
