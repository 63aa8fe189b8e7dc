"""Notices for a person at the terminal, beside a result: files that are not used and why, warnings, progress bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from producer.terminal.console import TerminalConsole, line, progress
from worker.runtime.progress import Progress


def tell_skipped(skipped: Sequence[tuple[object, str]], console: TerminalConsole) -> None:
    """Print what is not used, each with its reason."""
    for what, reason in skipped:
        line(console, ("skipped", "yellow"), f" {what}: {reason}")


def tell_notes(notes: Sequence[str], console: TerminalConsole) -> None:
    """Print sentences that a person should read."""
    for note in notes:
        line(console, ("note", "yellow"), f" {note}")


@contextmanager
def shown(console: TerminalConsole) -> Iterator[Progress]:
    """Progress bars, one for each step."""
    with progress(console) as bars:
        tasks = {}

        def update(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=None)
            bars.update(tasks[step], completed=done, total=total or None)

        yield update
