from __future__ import annotations

import subprocess
import sys

from worker.monitoring.watchdog import TOO_SLOW_TO_STOP

SCRIPT = """
import threading
from worker.monitoring.line_state import LineState
from worker.monitoring.watchdog import Watchdog

state = LineState()
with Watchdog(state, grace=0.2):
    {what}
"""


def ended(what: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(what=what)], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_stop_that_takes_too_long_ends_the_process() -> None:
    code, said = ended("state.stop(); threading.Event().wait(60)")
    assert code == TOO_SLOW_TO_STOP
    assert "not finished in time" in said


def test_a_stop_in_time_is_left_alone() -> None:
    assert ended("state.stop()") == (0, "")


def test_who_was_not_told_to_stop_may_take_any_time() -> None:
    assert ended("threading.Event().wait(0.6)") == (0, "")
