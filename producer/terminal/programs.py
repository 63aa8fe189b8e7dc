"""How the person at this terminal types one of the three commands."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def as_typed(program: str) -> str:
    """Return `program`, such as `insert-db`, or its path if the shell would not find this installation's by name."""
    ours = Path(sys.executable).with_name(program)
    path = shutil.which(program)
    if not ours.exists() or (path is not None and Path(path).resolve() == ours.resolve()):
        return program
    here = os.path.relpath(ours)
    return str(ours) if here.startswith("..") else here
