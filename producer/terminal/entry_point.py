"""How each command begins and ends: its streams, its exit code, and how an unexpected error is reported."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from producer.terminal.exit_codes import FAILED, READER_GONE
from producer.terminal.output import ReaderGone, note, prepare_streams
from producer.terminal.programs import copyable

DEBUG: Final = "INSERTS_DEBUG"
"""Where this variable is set, an unexpected error shows its traceback on a terminal too."""


def run(app: Callable[[], object], *, explained: Callable[[Exception], str | None], program: str) -> NoReturn:
    """Run a command to its end and exit with its code, one of `producer.terminal.exit_codes`.

    Args:
        app: the command; it may end with `SystemExit`.
        explained: the message for an error that a person can do something about; None for an unexpected one.
        program: its name, with which its errors begin, such as `insert-db`.
    """
    prepare_streams()
    try:
        code = _exit_code(app)
        sys.stdout.flush()
    except (ReaderGone, BrokenPipeError):
        code = READER_GONE
    except Exception as error:  # noqa: BLE001 - the last resort
        message = explained(error)
        # Standard error may be closed, or its disk full: then the exit code has to do.
        with suppress(ReaderGone, OSError):
            if message is None:
                _report_unexpected(error, program)
            else:
                note(f"{program}: {copyable(message)}")
        code = FAILED
    _discard_broken_streams()
    sys.exit(code)


def _exit_code(app: Callable[[], object]) -> int:
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else FAILED
    return 0


def _report_unexpected(error: Exception, program: str) -> None:
    """Report it in a line; the traceback is logged, and shown on a terminal only on request."""
    import structlog

    from producer.terminal.logs import configure_logs

    hint = f": {DEBUG}=1 shows where"
    if DEBUG in os.environ or not sys.stderr.isatty():
        if not structlog.is_configured():
            configure_logs(logging.WARNING)
        structlog.get_logger().critical("an error that nobody foresaw", exc_info=error)
        hint = ""
    what = " ".join(f"{type(error).__name__}: {error}".split())
    note(f"{program}: {what}\n{program}: this is a fault of the program, please report it{hint}")


def _discard_broken_streams() -> None:
    """Point streams that cannot be written at nothing, so that Python does not try them once more at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ReaderGone):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
