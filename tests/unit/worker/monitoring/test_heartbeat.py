from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import wait_until
from worker.monitoring.heartbeat import Heart, Heartbeat, NoHeartbeat, age, read, write
from worker.monitoring.process_state import ProcessState


def beat(**changes: object) -> Heartbeat:
    fields: dict[str, object] = {
        "pid": 1,
        "time": datetime.now(UTC),
        "state": "ready",
        "backbone": "vgg16:fc1",
        "redis": True,
        "finished": 3,
        "last_finished_seconds": 0.5,
        "in_hand": 0,
        "forward_seconds": None,
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
    state = ProcessState("vgg16:fc1")
    with Heart(file, state, every=0.01):
        wait_until(file.exists)
        first = read(file)
        assert (first.pid, first.state, first.backbone, first.redis) == (os.getpid(), "starting", "vgg16:fc1", False)
        assert (first.last_finished_seconds, first.forward_seconds) == (None, None)
        state.ready(SimpleNamespace(connection=object()))
        for end in ("SUCCESS", "RETRY", None):
            state.begin()
            if end:
                state.end(state=end)
        with state.forward_pass():
            wait_until(lambda: (read(file).forward_seconds or 0) >= 0.05)
            last = read(file)
        wait_until(lambda: read(file).forward_seconds is None)
        assert (last.state, last.redis, last.finished, last.in_hand) == ("ready", True, 1, 1)
        assert last.last_finished_seconds is not None
        state.stop()
        wait_until(lambda: read(file).state == "stopping")
    assert not file.exists()


def test_the_heart_falls_silent_when_celery_s_loop_is_stuck_and_only_then(tmp_path: Path) -> None:
    file = tmp_path / "worker.heartbeat"
    state = ProcessState("vgg16:fc1")
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
    with Heart(file, ProcessState("vgg16:fc1"), every=0.01):
        time_to_fail = time.monotonic() + 0.1
        wait_until(lambda: time.monotonic() > time_to_fail)
        (tmp_path / "run").unlink()
        wait_until(file.exists)
