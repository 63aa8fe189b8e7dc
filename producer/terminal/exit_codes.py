"""The exit codes of all commands; `docs/commands.md` says what each means for which command."""

from __future__ import annotations

from typing import Final

NO: Final = 1
"""The command has an answer, and the answer is no: replace these inserts, not alive, damaged, not all there."""

FAILED: Final = 2
"""There is no answer: the input or the settings are wrong, a service is away, or a person must look."""

INTERRUPTED: Final = 130
"""Ended with Ctrl-C before there was an answer (128 + SIGINT), as Typer has it for every command."""

READER_GONE: Final = 141
"""The reader of the answer has gone, as after `| head -1`: what a shell shows of a program that wrote to a closed pipe
(128 + SIGPIPE). It is no error, but no answer either: a program that asks whether a head may go on must not take it for
a
yes."""

_OF_CHECK: Final = {"go": 0, "replace": NO}


def of_check(state: str) -> int:
    """The exit code of a check in a state: one that waits or has not finished has no answer."""
    return _OF_CHECK.get(state, FAILED)
