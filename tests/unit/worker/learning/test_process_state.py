from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from worker.learning.process_state import BeatVitals, LearnVitals
from worker.monitoring.heartbeat import LearnHeartbeat, SchedulerHeartbeat


def beat_of(vitals: LearnVitals) -> LearnHeartbeat:
    beat = vitals.heartbeat()
    assert isinstance(beat, LearnHeartbeat)
    return beat


def test_a_job_is_seen_with_its_age_while_it_runs() -> None:
    vitals = LearnVitals("insertnet")
    assert (beat_of(vitals).job, beat_of(vitals).job_seconds) == (None, None)
    vitals.begin(task=SimpleNamespace(name="insert_inspection.retrain"))
    began = time.monotonic()
    while time.monotonic() < began + 0.01:
        pass
    beat = beat_of(vitals)
    assert beat.job == "retrain"
    assert beat.job_seconds is not None
    assert beat.job_seconds >= 0.01
    vitals.end(state="FAILURE")
    assert (beat_of(vitals).job, beat_of(vitals).finished) == (None, 0)
    vitals.begin(task=SimpleNamespace(name="insert_inspection.evaluate"))
    vitals.end(state="SUCCESS")
    assert beat_of(vitals).finished == 1


def test_a_beat_that_does_not_tick_stands_still_unless_it_waits_for_redis() -> None:
    vitals = BeatVitals()
    assert vitals.loop_still_for() == 0
    scheduler: Any = SimpleNamespace(ticks=5, ticked_at=time.monotonic() - 100, waits_for_redis=False)
    vitals.ready(sender=SimpleNamespace(scheduler=scheduler))
    assert vitals.loop_still_for() >= 100
    beat = vitals.heartbeat()
    assert isinstance(beat, SchedulerHeartbeat)
    assert (beat.ticks, beat.waits_for_redis) == (5, False)
    scheduler.waits_for_redis = True
    assert vitals.loop_still_for() == 0
