from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from worker.learning.process_state import BeatState, LearnerState
from worker.monitoring.heartbeat import LearnHeartbeat, SchedulerHeartbeat
from worker.monitoring.metrics import LearnMetrics


def beat_of(state: LearnerState) -> LearnHeartbeat:
    beat = state.heartbeat()
    assert isinstance(beat, LearnHeartbeat)
    return beat


def test_a_job_is_seen_with_its_age_while_it_runs() -> None:
    metrics = LearnMetrics()
    state = LearnerState("vgg16:fc1", metrics)
    assert (beat_of(state).job, beat_of(state).job_seconds) == (None, None)
    state.begin(task=SimpleNamespace(name="insert_inspection.retrain"))
    began = time.monotonic()
    while time.monotonic() < began + 0.01:
        pass
    beat = beat_of(state)
    assert beat.job == "retrain"
    assert beat.job_seconds is not None
    assert beat.job_seconds >= 0.01
    state.end(state="FAILURE")
    assert (beat_of(state).job, beat_of(state).finished) == (None, 0)
    state.begin(task=SimpleNamespace(name="insert_inspection.evaluate"))
    state.end(state="SUCCESS")
    assert beat_of(state).finished == 1
    for task, result in (("retrain", "failure"), ("evaluate", "success")):
        assert metrics.registry.get_sample_value("inserts_learn_runs_total", {"task": task, "result": result}) == 1


def test_a_beat_that_does_not_tick_stands_still_unless_it_waits_for_redis() -> None:
    state = BeatState()
    assert state.loop_still_for() == 0
    scheduler: Any = SimpleNamespace(ticks=5, ticked_at=time.monotonic() - 100, waits_for_redis=False)
    state.ready(sender=SimpleNamespace(scheduler=scheduler))
    assert state.loop_still_for() >= 100
    beat = state.heartbeat()
    assert isinstance(beat, SchedulerHeartbeat)
    assert (beat.ticks, beat.waits_for_redis) == (5, False)
    scheduler.waits_for_redis = True
    assert state.loop_still_for() == 0
