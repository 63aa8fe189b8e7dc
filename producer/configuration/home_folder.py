"""`~` in a path that no shell has seen: in the environment, in a file of settings, after `--data=`."""

from __future__ import annotations

from pathlib import Path


def at_home(path: Path) -> Path:
    """The path with the home folder in place of a `~` or `~USER` that it begins with.

    Raises:
        ValueError: that home folder is not known.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"the home folder {path.parts[0]} of {path} is not known here: write the path out") from None
