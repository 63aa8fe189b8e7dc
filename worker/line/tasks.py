"""The Celery task of the line: takes the message, has it inspected, returns. No logic."""

from __future__ import annotations

import json
from typing import Any

from celery import Celery

from producer.contract.event import INSPECT_TASK
from worker.line.child import Child


def register(app: Celery, child: Child) -> None:
    """Give `app` the inspect task: `child` inspects what a message held, by its id and how often it has gone back."""

    @app.task(name=INSPECT_TASK, bind=True)  # type: ignore[untyped-decorator]
    def task(self: Any, text: str) -> None:
        # A JSON text, whatever the queue held: `worker.broker.sanitising` sees to that.
        try:
            child.inspect(json.loads(text), self.request.id, self.request.retries)
        except MemoryError as error:
            raise RuntimeError("not enough memory") from error  # as it is, Celery would end the parent for it
