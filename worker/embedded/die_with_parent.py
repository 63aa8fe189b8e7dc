"""Runs a command that ends when the process that started it ends, however that one dies.

`python -m worker.embedded.die_with_parent COMMAND [ARGUMENT …]`. On Linux the kernel sends SIGTERM when the parent is
gone (prctl(2), PR_SET_PDEATHSIG); elsewhere the command outlives a parent that is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for the signal and become the command."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the request
            sys.exit(1)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - a list from our own code, no shell


if __name__ == "__main__":
    main()
