"""Colours, tables and progress bars: Rich without markup, emoji and escape sequences in data.

Rich interprets `[red]` and `:smile:` in any text, and passes a terminal's escape sequences through. This console does
neither, whichever module prints on it; styles are passed beside the text, never in it. Where the encoding has no
box-drawing characters, Rich uses ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.status import Status
from rich.table import Table
from rich.text import Text

from producer.terminal.output import ReaderGone, visible
from producer.terminal.redaction import discreet


class TerminalConsole(rich.console.Console):
    """Rich's console that shows data as it is: no markup, no emoji, no escape sequences."""

    def __init__(self, *, stderr: bool):
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich's own, with unprintable characters escaped."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text, "\n"), segment.style)

    def on_broken_pipe(self) -> None:
        """Leave it to the command's entry point, which knows the exit code."""
        raise ReaderGone


def answers() -> TerminalConsole:
    """The console on standard output."""
    return TerminalConsole(stderr=False)


def messages() -> TerminalConsole:
    """The console on standard error."""
    return TerminalConsole(stderr=True)


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or as wide as it needs where there is none."""
    console = answers()
    if not console.is_terminal:
        # Measured where there is room: a table is never wider than the console it is measured for.
        console.width = 10_000
        console.width = max(console.measure(table).maximum, 20)
    console.print(table)


def line(console: TerminalConsole, *parts: str | tuple[str, str]) -> None:
    """Print one line of parts, each a text or a text with its style; it is not broken at the console's width."""
    shown = [(discreet(part[0]), part[1]) if isinstance(part, tuple) else discreet(part) for part in parts]
    console.print(Text.assemble(*shown), soft_wrap=True)


def waiting(console: TerminalConsole, what: str) -> Status:
    """A spinner with a text, on a terminal, for as long as the block goes on."""
    return console.status(Text(what))


def columns(before: str = "") -> tuple[ProgressColumn, ...]:
    """The columns of a bar: what it is, how far, and for how long."""
    name = TextColumn(before + "{task.description}", markup=False)
    return (name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def progress(console: TerminalConsole, *, transient: bool = True, before: str = "", **options: Any) -> Progress:
    """Progress bars with `columns`; what is `transient` leaves nothing behind."""
    return Progress(*columns(before), console=console, transient=transient, **options)
