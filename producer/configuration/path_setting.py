"""A setting that may be a path, as a person wrote it: into the environment, or a file of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from producer.configuration.home_folder import at_home


def not_empty(value: Any) -> Any:
    """The value of a path's setting: an empty one would be the folder that a program happens to run in.

    Raises:
        ValueError: it is empty.
    """
    if value == "":
        raise ValueError("it is empty: set it to a path, or do not set it")
    return value


def path_of(value: Any) -> Any:
    """A path with its home folder in place of `~`; any other setting as it is.

    Raises:
        ValueError: that home folder is not known; or a text is blank or has a line break, and would become a folder
            of that name.
    """
    if isinstance(value, str | Path) and (text := str(value)):
        if not text.strip():
            raise ValueError("it is blank: set it to something, or do not set it")
        if any(ord(character) < ord(" ") for character in text):
            raise ValueError("it has a line break or another control character in it, perhaps at its end: take it out")
    return at_home(value) if isinstance(value, Path) else value
