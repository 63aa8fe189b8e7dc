"""Learning leaves the machine to the line."""

from __future__ import annotations

import os
from typing import Final

NICENESS: Final = 10
"""How much nicer learning is than the line: where both want the processor it gets about a tenth (setpriority(2))."""


def step_back(niceness: int = NICENESS) -> None:
    """Make this process leave the machine to the line: nicer than it by so much, and on at most half of the cores.

    Called by the entry point before numpy and TensorFlow are imported, which look at these variables only then.
    """
    cores = str(max(1, (os.cpu_count() or 1) // 2))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, cores)
    os.nice(niceness)
