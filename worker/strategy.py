"""How a message becomes a task: Celery's own way, but one that is malformed costs only itself.

Celery 5.7 unpacks a message in its consumer loop and lets what goes wrong there end the worker (a body of two parts)
or its connection (no id), and the message comes again: a crash loop from one bad message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default
from kombu.exceptions import ContentDisallowed, DecodeError

log = structlog.get_logger()


def guarded(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's default strategy, with every error in a message turned into one that Celery rejects the message for."""
    handle = default(task, app, consumer, **options)

    def handle_message(message: Any, *rest: Any) -> Any:
        try:
            return handle(message, *rest)
        except (InvalidTaskError, ContentDisallowed, DecodeError):
            raise
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            log.error("a malformed message was rejected", problem=problem, body=str(message.body)[:1000])
            raise InvalidTaskError(problem) from error

    return handle_message
