"""Logging of the commands: to standard error, readable on a terminal, JSON lines elsewhere.

What this project says (structlog) and what its libraries say (`logging`: Celery, kombu, SQLAlchemy, warnings) comes out
in one form, a line each, with the names that are bound to it (capture, check, model), and without passwords.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_HIDDEN: Final = "**"

# user:PASSWORD@ of a URL, however badly the password is escaped, and password=… as libpq writes it.
_URL_PASSWORD: Final = re.compile(r"(://[^\s:/@\"'<>]*:)[^\s\"'<>]*@")
_NAMED_PASSWORD: Final = re.compile(r"(?i)(password[\"']?\s*[=:]\s*)([\"']?)[^\s\"',;)&]+")


def configure_logs(level: int = logging.INFO) -> None:
    """Set up structlog and `logging`; called by entry points only. Standard output stays free for answers.

    ``level`` is that of what this project says; of its libraries only what is wrong matters here.
    """
    readable = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=not readable),
        structlog.processors.format_exc_info,
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


def discreet(text: str) -> str:
    """The text without the passwords in it: those of URLs, and what is named one."""
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\1{_HIDDEN}@", text)
    if "assword" in text or "ASSWORD" in text:
        text = _NAMED_PASSWORD.sub(rf"\1\2{_HIDDEN}", text)
    return text


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
