"""This process's share of the machine: memory arenas, priority, cores. Imports nothing that computes."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

NICENESS: Final = 10
"""How much nicer learning is than the line: where both want the processor it gets about a tenth (setpriority(2))."""

_M_ARENA_MAX: Final = -8
"""The parameter's number in glibc's malloc.h."""


def limit_arenas(arenas: int = 1) -> None:
    """Limit this process's malloc arenas; called before threads are started.

    glibc gives threads arenas of their own, eight for each core, and each keeps what its threads have ever used. With
    32 threads that decode photographs that was 109 MB for nothing. Other C libraries have no such arenas: there nothing
    happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, arenas)


def usable_cores() -> int:
    """The cores that this process may use: what a container's or a service's CPU set leaves, not the machine's."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lower_priority(niceness: int = NICENESS) -> None:
    """Give the line priority over this process: it is nicer by so much, and uses at most half of the cores.

    Called by the entry point before numpy and TensorFlow are imported, which read these variables only then.
    """
    cores = str(max(1, (os.cpu_count() or 1) // 2))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, cores)
    os.nice(niceness)
