"""The Celery application of learning: its queue, its tasks' names, and their schedule."""

from __future__ import annotations

from typing import Any, Final

from celery import Celery
from kombu.entity import Queue

from worker.broker.app import make_app
from worker.settings import WorkerSettings

LEARN_QUEUE: Final = "learn"

REEXTRACT_TASK: Final = "insert_inspection.reextract"
EXTRACT_TASK: Final = "insert_inspection.extract"
RETRAIN_TASK: Final = "insert_inspection.retrain"
EVALUATE_TASK: Final = "insert_inspection.evaluate"
DRIFT_TASK: Final = "insert_inspection.drift"
LIVES_TASK: Final = "insert_inspection.fit_lives"


def make_learn_app(settings: WorkerSettings) -> Celery:
    """Return the application of `insert-worker learn` and `beat`, on the line's Redis with a queue of its own."""
    app = make_app(settings.broker_url())
    app.conf.update(
        task_queues=[Queue(LEARN_QUEUE)],  # type: ignore[no-untyped-call]
        task_default_queue=LEARN_QUEUE,
        # Unlike on the line: a training may take longer than the visibility timeout, which all clients of one Redis
        # database share, and would be redelivered again and again. A task that is lost with its process is sent again.
        task_acks_late=False,
        # For the same reason no message is prefetched while a task runs.
        worker_disable_prefetch=True,
        beat_schedule=schedule(settings),
        beat_scheduler="worker.learning.beat_schedule:FileScheduler",
        # A beat that sleeps for long would notice that late that Redis is back.
        beat_max_loop_interval=30,
        # The state is written after each task: a beat that is killed sends one task too many at most.
        beat_sync_every=1,
        timezone="UTC",
    )
    return app


def schedule(settings: WorkerSettings) -> dict[str, dict[str, Any]]:
    """Return what is sent how often.

    A task that is not begun when the next one of its kind is sent expires, so that they do not pile up.
    """
    every = {
        REEXTRACT_TASK: settings.reextract_every,
        RETRAIN_TASK: settings.retrain_every,
        EVALUATE_TASK: settings.evaluate_every,
        DRIFT_TASK: settings.drift_every,
        LIVES_TASK: settings.lives_every,
    }
    return {
        task: {"task": task, "schedule": seconds, "options": {"expires": seconds}} for task, seconds in every.items()
    }
