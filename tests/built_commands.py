"""Builds each program's commands once for a process: Typer builds all of them, from their signatures, in each call.

That is 20 to 40 ms of processor time for one command. Imported before the programs, and before `typer.testing`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

import typer.main

PROGRAMS = ("db.commands.main", "producer.commands.main", "worker.commands.main")

typer.main.get_command = cache(typer.main.get_command)


def build() -> None:
    """Build those of all programs, for what is forked from this process."""
    for name in PROGRAMS:
        typer.main.get_command(import_module(name).app)
