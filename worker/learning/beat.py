"""The process that sends learning's tasks when they are due; it computes nothing, and needs nothing that computes."""

from __future__ import annotations

from celery.signals import beat_init

from worker.broker.kombu_fixes import check_access
from worker.learning.app import make_learn_app
from worker.learning.process_state import TICK_LIMIT, BeatState
from worker.monitoring.heartbeat import Heart
from worker.settings import WorkerSettings


def run_beat(settings: WorkerSettings) -> None:
    """Send learning's tasks when they are due, until SIGTERM or Ctrl-C; waits for Redis.

    Several beats do no harm: what is sent twice is done once.

    Raises:
        ValueError: Redis's URL is wrong, or Redis does not let this process in.
    """
    check_access(settings.broker_url())
    state = BeatState()
    beat_init.connect(state.ready, weak=False)
    settings.schedule_path().parent.mkdir(parents=True, exist_ok=True)
    beat = make_learn_app(settings).Beat(
        schedule=str(settings.schedule_path()), loglevel="WARNING", quiet=True, redirect_stdouts=False
    )
    with Heart(settings.heartbeat_path("beat"), state, loop_limit=TICK_LIMIT):
        beat.run()
