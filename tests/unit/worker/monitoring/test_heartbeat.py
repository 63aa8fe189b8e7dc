from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import wait_until
from worker.monitoring.heartbeat import Heart, Heartbeat, NoHeartbeat, age, read, write
from worker.monitoring.line_state import LineState
from worker.monitoring.reports import ModelsInUse, Report


def beat(**changes: object) -> Heartbeat:
    fields: dict[str, object] = {
        "pid": 1,
        "time": datetime.now(UTC),
        "state": "ready",
        "processes": 2,
        "model": None,
        "redis": True,
        "finished": 3,
        "last_finished_seconds": 0.5,
        "in_hand": 0,
        "in_hand_seconds": None,
    }
    return Heartbeat.model_validate(fields | changes)


def test_a_beat_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "run" / "worker.heartbeat"
    for finished in (3, 4):
        written = beat(finished=finished)
        write(file, written)
        assert read(file) == written
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("content", [None, b"", b'{"pid": 1}', b"\xff", b"ready\n"])
def test_what_is_no_heartbeat_is_said(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "worker.heartbeat"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(NoHeartbeat, match=r"worker\.heartbeat"):
        read(file)


def test_a_beat_of_long_ago_and_one_from_the_future_are_both_old() -> None:
    for hours in (-1, 1):
        assert age(beat(time=datetime.now(UTC) + timedelta(hours=hours))) == pytest.approx(3600, abs=5)


def test_the_heart_says_what_the_worker_knows_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "worker.heartbeat"
    alive = [os.getpid(), 4711]
    state = LineState(lambda: alive)
    with Heart(file, state, every=0.01):
        wait_until(file.exists)
        first = read(file)
        assert (first.pid, first.state, first.processes, first.redis) == (os.getpid(), "starting", 2, False)
        assert (first.model, first.last_finished_seconds, first.in_hand_seconds) == (None, None, None)
        state.ready(SimpleNamespace(connection=object()))
        state.take(Report(os.getpid(), 8))
        state.take(Report(4711, 3))
        wait_until(lambda: (read(file).in_hand_seconds or 0) >= 0.05)
        assert read(file).in_hand == 11
        state.take(Report(os.getpid(), 0, finished=8, models=ModelsInUse("m")))
        wait_until(lambda: read(file).finished == 8)
        last = read(file)
        assert (last.state, last.redis, last.model, last.in_hand) == ("ready", True, "m", 3)
        assert last.last_finished_seconds is not None
        alive.remove(4711)
        wait_until(lambda: read(file).processes == 1)
        assert (read(file).in_hand, read(file).in_hand_seconds) == (0, None), "what it had comes again"
        state.stop()
        wait_until(lambda: read(file).state == "stopping")
    assert not file.exists()


def test_the_heart_falls_silent_when_celery_s_loop_is_stuck_and_only_then(tmp_path: Path) -> None:
    file = tmp_path / "worker.heartbeat"
    state = LineState()
    consumer = SimpleNamespace(connection=object())
    with Heart(file, state, every=0.01, loop_limit=0.1):
        wait_until(file.exists)
        state.ready(consumer)

        def silent() -> bool:
            return age(read(file)) > 0.3

        wait_until(silent, what="silence, since nothing turns the loop")
        state.turn()
        wait_until(lambda: not silent(), what="a beat, since the loop turned")
        wait_until(silent)
        consumer.connection = None
        wait_until(lambda: not silent(), what="a beat, since a loop without Redis cannot turn")


def test_a_heart_that_cannot_write_beats_on_when_it_can(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    file = tmp_path / "run" / "worker.heartbeat"
    with Heart(file, LineState(), every=0.01):
        time_to_fail = time.monotonic() + 0.1
        wait_until(lambda: time.monotonic() > time_to_fail)
        (tmp_path / "run").unlink()
        wait_until(file.exists)
