"""The tasks: take the message, call, return; no logic."""

from __future__ import annotations

from typing import Any, Final

from celery import Celery

from producer.event import INSPECT_TASK
from worker.inspector import ImageNotYet, Inspector

IMAGE_TRIES: Final = 10
IMAGE_PAUSE: Final = 1.0
"""An image that is not in the store yet is looked for so often, so many seconds apart: stores may lag behind events."""


def register(app: Celery, inspector: Inspector) -> None:
    """Give ``app`` the inspect task, done by ``inspector``."""

    @app.task(  # type: ignore[untyped-decorator]
        name=INSPECT_TASK, bind=True, max_retries=IMAGE_TRIES, Strategy="worker.strategy:guarded"
    )
    def inspect(self: Any, *args: object, **named: object) -> None:
        # Taken as it comes, so that a message of a wrong form becomes a fault with a reason, not a Celery error.
        message = args[0] if len(args) == 1 and not named else {"args": args, **named}
        try:
            inspector.inspect(message, may_wait=self.request.retries < IMAGE_TRIES)
        except ImageNotYet as missing:
            # Handed back to the queue rather than waited for here, so that no thread stands still.
            raise self.retry(countdown=IMAGE_PAUSE, exc=missing) from missing
