"""What a worker's processes have used: their processor time, and the memory that is theirs (Linux)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psutil


def tree(pid: int | None) -> list[psutil.Process]:
    """Return a process and all that descend from it, itself first.

    Raises:
        ValueError: it was never started.
    """
    if pid is None:
        raise ValueError("the process has not been started")
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def processor_seconds(processes: Sequence[psutil.Process]) -> float:
    """Seconds of processor time that these have had, their own and the kernel's for them."""
    return float(sum(times.user + times.system for times in (process.cpu_times() for process in processes)))


def proportional_bytes(processes: Sequence[psutil.Process]) -> int:
    """The proportional set size of these together: a page that several share counts once, in equal parts."""
    return sum(map(_proportional_bytes, processes))


def _proportional_bytes(process: psutil.Process) -> int:
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii")
    kilobytes = next(row.split()[1] for row in rollup.splitlines() if row.startswith("Pss:"))
    return 1024 * int(kilobytes)
