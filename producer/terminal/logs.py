"""Logging of the commands: to standard error, readable on a terminal, JSON lines elsewhere.

Records of this project (structlog) and of its libraries (`logging`: Celery, kombu, SQLAlchemy, warnings) have one form,
a line each, with the context that is bound to them (capture, check, model), and without passwords.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from producer.terminal.output import visible
from producer.terminal.redaction import discreet


def configure_logs(level: int = logging.INFO) -> None:
    """Set up structlog and `logging`; called by entry points only. Standard output stays free for answers.

    Args:
        level: the lowest level of this project's records; of its libraries only warnings and errors are logged.
    """
    readable = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=not readable),
        structlog.processors.format_exc_info,
        *([_written_out] if readable else []),  # as JSON every line is
    ]
    render = _Discreet(structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer())
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    threading.excepthook = _say_why_a_thread_ended


def _written_out(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Escape what a terminal would take for a command."""
    return {name: visible(value, "\n\t") if isinstance(value, str) else value for name, value in event.items()}


class _Discreet:
    """A renderer whose lines hold no passwords, whatever field or traceback they came in."""

    def __init__(self, render: Any):
        self._render = render

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> str:
        return discreet(self._render(logger, name, event))


def _say_why_a_thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is SystemExit:
        return
    error = (ended.exc_type, ended.exc_value, ended.exc_traceback)
    thread = ended.thread.name if ended.thread else None
    structlog.get_logger().error("a thread ended with an error", thread=thread, exc_info=error)
