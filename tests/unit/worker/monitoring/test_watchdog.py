from __future__ import annotations

import subprocess
import sys

from worker.monitoring.watchdog import HUNG, TOO_SLOW_TO_STOP

SCRIPT = """
import threading
from worker.monitoring.process_state import ProcessState
from worker.monitoring.watchdog import Watchdog

state = ProcessState("vgg16:fc1")
with Watchdog(state, forward_timeout=0.2, grace=0.2):
    def pass_of(seconds):
        with state.forward_pass():
            threading.Event().wait(seconds)
    {what}
"""


def ended(what: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(what=what)], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_forward_pass_that_hangs_ends_the_process_and_shows_where() -> None:
    code, said = ended("pass_of(60)")
    assert code == HUNG
    assert "the forward pass hangs" in said
    assert "in pass_of" in said


def test_many_passes_that_end_in_time_do_not() -> None:
    assert ended("[pass_of(0.1) for _ in range(6)]") == (0, "")


def test_a_stop_that_takes_too_long_ends_the_process() -> None:
    code, said = ended("state.begin(); state.stop(); threading.Event().wait(60)")
    assert code == TOO_SLOW_TO_STOP
    assert "not finished in time" in said


def test_a_stop_in_time_is_left_alone() -> None:
    assert ended("state.stop()") == (0, "")
