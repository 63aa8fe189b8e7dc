"""What a person at the terminal is told beside a result: what is not used and why, and what to be wary of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

Told = Callable[[str, int, int], None]
"""What is being done, and how much of how much of it is."""


def tell_skipped(skipped: Sequence[tuple[object, str]], console: Console) -> None:
    """Print what is not used, each with its reason."""
    for what, reason in skipped:
        console.print(Text.assemble(("skipped", "yellow"), f" {what}: {reason}"), soft_wrap=True)


def tell_notes(notes: Sequence[str], console: Console) -> None:
    """Print sentences that a person should read."""
    for note in notes:
        console.print(Text.assemble(("note", "yellow"), f" {note}"), soft_wrap=True)


@contextmanager
def shown(console: Console) -> Iterator[Told]:
    """Progress as bars: one for each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {}

        def told(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=None)
            bars.update(tasks[step], completed=done, total=total or None)

        yield told
