"""The very beginning of a command, before what it needs is imported."""

from __future__ import annotations

import sys
from importlib import import_module

from producer.terminal.exit_codes import INTERRUPTED


def start(module: str) -> None:
    """Import a command's module and run its `main`; Ctrl-C ends it quietly, also while it is imported."""
    try:
        import_module(module).main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
