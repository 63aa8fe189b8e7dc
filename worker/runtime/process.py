"""This process's share of the machine: priority, cores, threads. Imports nothing that computes."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Final

NICENESS: Final = 10
"""How much nicer learning is than the line: where both want the processor it gets about a tenth (setpriority(2))."""

_CPU_SHARE: Final = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds of processor time in each period, and that period: https://docs.kernel.org/admin-guide/cgroup-v2.html"""


def usable_cores() -> int:
    """How many cores this process may use: what its CPU set and its container's share of time leave it."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = _CPU_SHARE.read_text(encoding="ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or no limit ("max")
        return cores


def compute_in_one_thread() -> None:
    """Have NumPy compute in one thread: each core has a process of its own. Called before NumPy is imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


def lower_priority(niceness: int = NICENESS) -> None:
    """Give the line priority over this process: it is nicer by so much, and uses at most half of the cores.

    Called by the entry point before numpy and TensorFlow are imported, which read these variables only then.
    """
    cores = str(max(1, (os.cpu_count() or 1) // 2))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, cores)
    os.nice(niceness)
