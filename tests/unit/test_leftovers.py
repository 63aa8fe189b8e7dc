"""What a session of tests starts ends with it, also where it is killed."""

import os
import subprocess
import sys
from pathlib import Path

from tests.leftovers import without_mark
from tests.support import wait_until

SESSION = """
import subprocess, sys, time
from tests.leftovers import end_with_this_session, without_mark
end_with_this_session()
started = [subprocess.Popen(["sleep", "60"], env=env) for env in (None, without_mark(__import__("os").environ))]
print(*(each.pid for each in started), flush=True)
time.sleep(60)
"""


def runs(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_a_killed_session_has_started_ends_unless_it_ends_by_itself() -> None:
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=without_mark(os.environ),
    )
    assert session.stdout is not None
    started, spared = (int(each) for each in session.stdout.readline().split())
    assert runs(started)
    session.kill()
    session.wait()
    session.stdout.close()
    wait_until(lambda: not runs(started), what="its end")
    assert runs(spared)
    os.kill(spared, 9)
