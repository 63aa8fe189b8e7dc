"""What a person at the terminal is told beside a result: what is not used and why, and what to be wary of."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text


def tell_skipped(skipped: Sequence[tuple[object, str]], console: Console) -> None:
    """Print what is not used, each with its reason."""
    for what, reason in skipped:
        console.print(Text.assemble(("skipped", "yellow"), f" {what}: {reason}"), soft_wrap=True)


def tell_notes(notes: Sequence[str], console: Console) -> None:
    """Print sentences that a person should read."""
    for note in notes:
        console.print(Text.assemble(("note", "yellow"), f" {note}"), soft_wrap=True)
