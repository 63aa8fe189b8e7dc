from __future__ import annotations

import os
import subprocess
import sys

import pytest

_LEARNER = """
import os, sys
from worker.commands.main import app
from worker.settings import WorkerSettings
from worker.runtime.process import lower_priority
assert "numpy" not in sys.modules, "too late"
before = os.nice(0)
lower_priority(WorkerSettings().niceness)
import numpy, sklearn
from threadpoolctl import threadpool_info
print(os.nice(0) - before, max(pool["num_threads"] for pool in threadpool_info()), max(1, os.cpu_count() // 2))
"""

_THREADS = """
import ctypes, threading
from worker.runtime.process import limit_arenas
limit_arenas(2)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
barrier, found = threading.Barrier(16), []
def work():
    barrier.wait()
    # The arenas of threads begin at multiples of 64 MiB.
    found.append(libc.malloc(5000) >> 26)
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
[each.start() for each in threads]
[each.join() for each in threads]
print(len(set(found)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's arenas")
def test_threads_share_few_arenas() -> None:
    done = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 3  # the first arena may cross such a border


def test_a_learner_is_nicer_and_takes_half_of_the_cores() -> None:
    """The libraries that compute look at the number of threads when they are loaded, so it must be said before that."""
    printed = subprocess.run([sys.executable, "-c", _LEARNER], capture_output=True, text=True, check=True).stdout
    niceness, threads, half = map(int, printed.split())
    assert niceness == min(10, 19 - os.nice(0)), "19 is the nicest"
    assert threads == half
