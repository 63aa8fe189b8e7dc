"""The tasks: take the message, call, return; no logic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import Celery

from producer.event import INSPECT_TASK

if TYPE_CHECKING:
    from worker.inspector import Inspector


def register(app: Celery, inspector: Inspector) -> None:
    """Give ``app`` the inspect task, done by ``inspector``."""

    @app.task(name=INSPECT_TASK)  # type: ignore[untyped-decorator]
    def inspect(*args: object, **named: object) -> None:
        # Taken as it comes, so that a message of a wrong form becomes a fault with a reason, not a Celery error.
        inspector.inspect(args[0] if len(args) == 1 and not named else {"args": args, **named})
