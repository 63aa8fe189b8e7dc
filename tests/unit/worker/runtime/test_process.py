from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.runtime import process
from worker.runtime.process import usable_cores

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


@pytest.mark.slow
def test_a_learner_is_nicer_and_takes_half_of_the_cores() -> None:
    """The libraries that compute look at the number of threads when they are loaded, so it must be said before that."""
    unsaid = {name: value for name, value in os.environ.items() if not name.endswith(("_THREADS", "_NICENESS"))}
    command = [sys.executable, "-c", _LEARNER]
    printed = subprocess.run(command, env=unsaid, capture_output=True, text=True, check=True).stdout
    niceness, threads, half = map(int, printed.split())
    assert niceness == min(10, 19 - os.nice(0)), "19 is the nicest"
    assert threads == half


@pytest.mark.parametrize(
    ("share", "cores"),
    [
        ("max 100000", 4),
        ("100000 100000", 1),
        ("150000 100000", 2),
        ("900000 100000", 4),
        ("20000 100000", 1),
        (None, 4),
    ],
)
def test_a_container_s_share_of_the_processor_limits_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: str | None, cores: int
) -> None:
    monkeypatch.setattr(process, "_CPU_SHARE", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    if share is not None:
        (tmp_path / "cpu.max").write_text(f"{share}\n")
    assert usable_cores() == cores
