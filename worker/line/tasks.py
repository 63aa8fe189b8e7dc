"""The Celery task of the line: takes the message, has it inspected, returns. No logic."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from celery import Celery

from producer.contract.event import INSPECT_TASK


def register(app: Celery, inspect: Callable[[object, str, int], None]) -> None:
    """Give `app` the inspect task: `inspect` gets what a message held, its id, and how often it has gone back."""

    @app.task(name=INSPECT_TASK, bind=True)  # type: ignore[untyped-decorator]
    def task(self: Any, text: str) -> None:
        # A JSON text, whatever the queue held: `worker.broker.sanitising` sees to that.
        try:
            inspect(json.loads(text), self.request.id, self.request.retries)
        except MemoryError as error:
            raise RuntimeError("not enough memory") from error  # as it is, Celery would end the parent for it
