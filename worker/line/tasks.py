"""The Celery task of the line: takes the message, calls the inspector, returns. No logic."""

from __future__ import annotations

import json
from typing import Any, Final

from celery import Celery

from producer.contract.event import INSPECT_TASK
from worker.line.inspector import ImageNotYet, Inspector

IMAGE_TRIES: Final = 10
IMAGE_PAUSE: Final = 1.0
"""An image that is not in the store yet is tried so often, so many seconds apart: stores may lag behind events."""


def register(app: Celery, inspector: Inspector) -> None:
    """Give `app` the inspect task, done by `inspector`."""

    @app.task(name=INSPECT_TASK, bind=True, max_retries=IMAGE_TRIES)  # type: ignore[untyped-decorator]
    def inspect(self: Any, text: str) -> None:
        # A JSON text, whatever the queue held: `worker.broker.sanitising` sees to that.
        message = json.loads(text)
        try:
            inspector.inspect(message, may_wait=self.request.retries < IMAGE_TRIES)
        except ImageNotYet as missing:
            # Redelivered later rather than waited for here, so that it occupies no thread.
            raise self.retry(countdown=IMAGE_PAUSE, exc=missing) from missing
