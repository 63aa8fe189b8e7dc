"""Runs a command by its entry point, within this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn
from unittest.mock import patch


@dataclass(frozen=True)
class Done:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def invoke(main: Callable[[], NoReturn], *arguments: object, typed: str = "") -> Done:
    """What `main` prints and exits with, for these arguments and what is typed into it."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    streams = {"stdin": io.StringIO(typed), "stdout": out, "stderr": err, "argv": ["command", *map(str, arguments)]}
    with patch.multiple(sys, **streams):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    told = []
    for stream in (out, err):
        stream.flush()
        told.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    assert isinstance(code, int)
    return Done(code, *told)
