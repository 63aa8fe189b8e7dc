"""A worker process: its parts, made once before the first message, and Celery's loop around them."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import structlog
from celery.signals import worker_ready

from db.session import Database
from worker.app import make_app
from worker.backbone import load_backbone
from worker.batching import MicroBatcher
from worker.champion import Champion
from worker.inspection import Judgement, judge
from worker.inspector import Inspector
from worker.notifier import Notifier
from worker.patience import patiently
from worker.settings import WorkerSettings
from worker.tasks import register

log = structlog.get_logger()


def serve(settings: WorkerSettings, ready_file: Path | None = None) -> int:
    """Judge captures until told to stop (SIGTERM, Ctrl-C); the process's exit code comes back.

    ``ready_file`` is written when the first message may come.

    Raises:
        WeightsMissing, BackboneError: the network asked for cannot be run, before any message was taken.
        SchemaOutdated: the database has no or older tables.
        ModelError: the promoted model cannot be used by this worker.
    """
    database = Database(settings.url)
    patiently(database.check_schema)
    backbone = load_backbone(settings.backbone, settings.weights, weights_folder=settings.weights_path())
    champion = Champion(database, settings.models_path(), backbone.fingerprint)
    champion.start()
    backbone.warm_up([1, settings.max_batch])
    batcher = MicroBatcher(backbone.features, settings.max_batch)

    def judge_one(data: bytes, region: tuple[int, int, int, int] | None) -> Judgement:
        return judge(data, region, backbone, batcher, champion.current())

    redis_url = settings.broker_url()
    notifier = Notifier(redis_url)
    app = make_app(redis_url)
    register(app, Inspector(database, settings.image_store(), judge_one, notifier))
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
    on_ready = partial(_ready, ready_file, backbone.name)
    worker_ready.connect(on_ready, weak=False)
    try:
        worker.start()
    finally:
        worker_ready.disconnect(on_ready)
        batcher.close()
        notifier.close()
        database.close()
    return int(worker.exitcode or 0)


def _ready(ready_file: Path | None, backbone: str, **_: object) -> None:
    log.info("ready", backbone=backbone)
    if ready_file is not None:
        ready_file.write_text("ready\n", encoding="utf-8")
