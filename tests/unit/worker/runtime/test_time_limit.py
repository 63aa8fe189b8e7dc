from __future__ import annotations

import signal
import subprocess
import sys

SCRIPT = """
import ctypes
from worker.runtime.time_limit import ends_after, show_where_it_hung

show_where_it_hung()

def hang(seconds):
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))  # holds the interpreter's lock

for seconds in {blocks}:
    with ends_after(0.5):
        hang(seconds)
hang(0.7)
"""


def ended(blocks: list[float]) -> tuple[int, str]:
    script = SCRIPT.format(blocks=blocks)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_a_block_that_hangs_in_c_ends_the_process_and_shows_where() -> None:
    code, said = ended([0.0, 30])
    assert code == -signal.SIGALRM
    assert "in hang" in said


def test_blocks_that_end_in_time_and_what_comes_after_them_do_not() -> None:
    assert ended([0.2] * 4) == (0, "")
