"""A worker process: its parts, made once before the first message, and Celery's loop around them."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import structlog
from celery.signals import task_postrun, task_prerun, worker_ready, worker_shutting_down
from celery.utils.dispatch import Signal
from numpy.typing import NDArray
from prometheus_client.metrics_core import Metric

from db.engine.database import Database
from producer.telemetry.metrics_server import exposed
from worker.backbones.backbone import load_backbone
from worker.broker.app import make_app
from worker.broker.kombu_fixes import check_access
from worker.broker.load_shedding import OverflowWatch
from worker.line.active_models import Champion
from worker.line.batching import Batcher
from worker.line.image_fetch import wait_for_store
from worker.line.incomplete_checks import IncompleteWatch
from worker.line.inspector import Inspector
from worker.line.notifier import Notifier
from worker.line.requeue import RequeueWatch
from worker.line.tasks import register
from worker.models.line_model import Judgement, judge
from worker.monitoring.heartbeat import Heart
from worker.monitoring.metrics import WorkerMetrics, worker_families
from worker.monitoring.plant_metrics import FunctionCollector, watch_line, watch_process
from worker.monitoring.process_state import Vitals
from worker.monitoring.watchdog import Watchdog
from worker.runtime import failpoints
from worker.runtime.waiting import retry_while_unavailable, stop_waiting
from worker.settings import WorkerSettings

log = structlog.get_logger()


def serve(settings: WorkerSettings, ready_file: Path | None = None) -> int:
    """Judge captures until told to stop (SIGTERM, Ctrl-C); the process's exit code comes back.

    A database, an image store or a Redis that is away is waited for. Told to stop, the worker takes nothing new and
    finishes what is in hand within `settings.grace`; what waits for one that is away then goes back into the queue.
    Where a forward pass hangs or the grace time is over, the process ends at once, with an exit code of
    `worker.monitoring.watchdog`.

    `ready_file` is written when the first message may come.

    Raises:
        WeightsMissing, BackboneError: the network asked for cannot be run, before any message was taken.
        SchemaOutdated: the database has no or older tables.
        ModelError: the promoted model cannot be used by this worker.
        ValueError: Redis or the database is not named as it should be, a password or certificate is not there, or Redis
            does not let this process in.
    """
    failpoints.arm(settings.failpoint)
    redis_url = settings.broker_url()
    signal.signal(signal.SIGTERM, _leave)  # until Celery's loop has its own; process 1 of a container has none
    vitals = Vitals(settings.backbone)
    with ExitStack() as parts:
        heart = parts.enter_context(Heart(settings.heartbeat_path(), vitals))
        parts.enter_context(Watchdog(vitals, settings.forward_timeout, settings.grace))
        database = Database(settings.url)
        parts.callback(database.close)
        metrics = WorkerMetrics()
        watch_process(metrics.registry, heart, vitals)
        watch_line(metrics.registry, database, redis_url)
        parts.enter_context(exposed(metrics.registry, settings.metrics_port, settings.metrics_address))
        check_access(redis_url)
        retry_while_unavailable(database.check_schema)
        images = settings.image_store()
        backbone = load_backbone(settings.backbone, settings.weights, weights_folder=settings.weights_path())
        champion = Champion(database, settings.models_path(), backbone.fingerprint)
        champion.start()
        metrics.registry.register(FunctionCollector(partial(_worker_families, vitals, champion)))
        backbone.warm_up([1])
        wait_for_store(images)

        def forward(images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
            failpoints.failpoint("forward")
            return backbone.features_of(images)

        batcher: Batcher[NDArray[np.uint8], NDArray[np.float32]] = Batcher(
            forward, settings.max_batch, name="forward", watch=metrics.forward_pass
        )
        parts.callback(batcher.close)
        vitals.forward_since = lambda: batcher.running_since

        def judge_one(data: bytes, region: tuple[int, int, int, int] | None) -> Judgement:
            judges = champion.judges()  # once: the whole judgement is theirs, whatever is promoted meanwhile
            decoding = partial(metrics.stage, "decode")
            return judge(data, region, backbone.input_size, batcher, judges.champion, judges.shadow, decoding)

        notifier = Notifier(redis_url)
        parts.callback(notifier.close)
        app = make_app(redis_url)
        in_charge = partial(_in_charge, champion)
        inspector = Inspector(database, images, judge_one, notifier, metrics, in_charge)
        parts.callback(inspector.close)
        register(app, inspector)
        parts.enter_context(RequeueWatch(inspector))
        parts.enter_context(IncompleteWatch(database, notifier, metrics, settings.check_timeout))
        parts.enter_context(OverflowWatch(redis_url))
        worker = app.Worker(
            pool="threads",
            concurrency=settings.threads,
            hostname=f"inspect@{socket.gethostname()}",
            loglevel="WARNING",
            # Workers know each other through the database alone.
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        # Celery drops its connection the moment it is lost, and has none until it is back.
        vitals.is_connected = lambda: worker.consumer.connection is not None
        _connect(parts, task_prerun, vitals.begin)
        _connect(parts, task_postrun, vitals.end)
        _connect(parts, worker_ready, partial(_ready, vitals, ready_file))
        _connect(parts, worker_shutting_down, partial(_stop, vitals))
        worker.start()
    return int(worker.exitcode or 0)


def _connect(parts: ExitStack, event: Signal, receiver: Callable[..., None]) -> None:
    event.connect(receiver, weak=False)
    parts.callback(event.disconnect, receiver)


def _ready(vitals: Vitals, ready_file: Path | None, sender: Any, **_: object) -> None:
    # A timer of Celery's loop, set when the loop has been entered: this one outlives lost connections.
    sender.timer.call_repeatedly(1.0, vitals.turn)
    vitals.ready()
    log.info("ready", backbone=vitals.backbone)
    if ready_file is not None:
        ready_file.write_text("ready\n", encoding="utf-8")


def _in_charge(champion: Champion) -> str | None:
    taken = champion.taken.champion
    return None if taken is None else taken.model_id


def _worker_families(vitals: Vitals, champion: Champion) -> Iterator[Metric]:
    shadow = champion.taken.shadow
    return worker_families(
        in_hand=vitals.in_hand,
        champion=_in_charge(champion),
        shadow=None if shadow is None else shadow.model_id,
        refused=champion.refused,
    )


def _stop(vitals: Vitals, **_: object) -> None:
    """Called in Celery's signal handler."""
    vitals.stop()
    stop_waiting()


def _leave(*_: object) -> NoReturn:
    """Nothing is in hand yet."""
    sys.exit(0)
