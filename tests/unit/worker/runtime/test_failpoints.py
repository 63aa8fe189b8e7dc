from __future__ import annotations

import subprocess
import sys

import pytest

from worker.runtime import failpoints


@pytest.mark.parametrize("text", ["forward", "forward:explode", "nowhere:exit", "forward:sleep,:"])
def test_what_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="before-notify"):
        failpoints.arm(text)


def passing(place: str, armed: str, about: str = "") -> int:
    code = f"from worker.runtime.failpoints import *; arm({armed!r}); failpoint({place!r}, {about!r})"
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=60, capture_output=True).returncode


def test_only_the_armed_place_ends_the_process() -> None:
    armed = "before-ack:exit, before-notify:exit"
    assert passing("before-notify", armed) == failpoints.EXIT_CODE
    assert passing("before-commit", armed) == 0
    assert passing("before-notify", "") == 0


def test_a_place_can_be_armed_for_one_thing_alone() -> None:
    assert passing("judge", "judge=op-13:exit", about="op-13") == failpoints.EXIT_CODE
    assert passing("judge", "judge=op-13:exit", about="op-14") == 0


def test_sleep_does_not_return() -> None:
    code = "from worker.runtime.failpoints import *; arm('forward:sleep'); print(flush=True); failpoint('forward')"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.kill()
    process.wait()
    process.stdout.close()
