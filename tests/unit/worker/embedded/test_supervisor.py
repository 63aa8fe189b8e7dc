from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.support import wait_until
from worker.embedded.supervisor import ChildProcess, StopSignal, Supervisor

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def child(tmp_path: Path, code: str | None = None, name: str = "child") -> ChildProcess:
    return ChildProcess(name, SLEEPER if code is None else [sys.executable, "-c", code], tmp_path / f"{name}.log")


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        one = child(tmp_path)
        supervisor.add(one)
        first = one.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)

        def again() -> bool:
            supervisor.restart_dead()
            return one.pid != first and one.exit_code() is None

        wait_until(again)
    assert not psutil.pid_exists(one.pid or 0)


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    one = child(tmp_path)
    pauses = [one.pause_before_restart() for _ in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert pauses[-1] == 30


def test_all_children_end_with_the_supervisor_and_take_theirs_along(tmp_path: Path) -> None:
    parent = child(tmp_path, f"import subprocess, time; subprocess.Popen({SLEEPER!r}); time.sleep(600)", "parent")
    stubborn = child(
        tmp_path,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)",
        "s",
    )
    of_other_tests = set(psutil.Process().children(recursive=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.embedded.supervisor.GRACE", 1.0)
        with Supervisor() as supervisor:
            supervisor.add(parent)
            supervisor.add(stubborn)
            wait_until(lambda: "up" in parent.last_words())
            everybody = set(psutil.Process().children(recursive=True)) - of_other_tests
            assert len(everybody) == 3
        wait_until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in everybody))


def test_a_stop_signal_is_noted_and_the_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal() as stop:
        assert not stop.came
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: stop.came)
    assert signal.getsignal(signal.SIGTERM) is before
