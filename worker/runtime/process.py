"""The C library's memory pools in a process of many threads."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_M_ARENA_MAX: Final = -8
"""The parameter's number in glibc's malloc.h."""


def share_pools(pools: int = 1) -> None:
    """Let this process's threads share that many memory pools; called before threads are started.

    glibc gives threads pools of their own, eight for each core, and each keeps what its threads have ever used. With
    32 threads that decode photographs that was 109 MB for nothing. Other C libraries have no such pools: there nothing
    happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, pools)
