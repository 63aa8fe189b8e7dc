"""The libraries that compute look at the number of threads when they are loaded, so it must be said before that."""

from __future__ import annotations

import subprocess
import sys

_LEARNER = """
import os, sys
from worker.commands.main import app
from worker.settings import WorkerSettings
from worker.runtime.niceness import step_back
assert "numpy" not in sys.modules, "too late"
before = os.nice(0)
step_back(WorkerSettings().niceness)
import numpy, sklearn
from threadpoolctl import threadpool_info
print(os.nice(0) - before, max(pool["num_threads"] for pool in threadpool_info()), max(1, os.cpu_count() // 2))
"""


def test_a_learner_is_nicer_and_takes_half_of_the_cores() -> None:
    told = subprocess.run([sys.executable, "-c", _LEARNER], capture_output=True, text=True, check=True).stdout
    niceness, threads, half = map(int, told.split())
    assert niceness == 10
    assert threads == half
