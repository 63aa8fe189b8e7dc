"""Takes up again what a person has requeued, beside the queue and by the same way through the worker."""

from __future__ import annotations

import threading
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

LOOK_EVERY: Final = 3.0
"""Seconds between two looks for requeued faults."""


class TakesUp(Protocol):
    """The part of `worker.line.inspector.Inspector` that this needs."""

    def take_up_requeued(self) -> int:
        """Handle the requeued faults there are; how many there were."""
        ...


class RequeueWatch:
    """Looks for requeued faults every few seconds, from entering the block to its end."""

    def __init__(self, inspector: TakesUp) -> None:
        self._inspector = inspector
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="requeue", daemon=True)

    def __enter__(self) -> RequeueWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                count = self._inspector.take_up_requeued()
            except Exception as error:  # noqa: BLE001 - this look failed, whatever it was; the next one is soon
                log.error("requeued faults were not taken up", problem=f"{type(error).__name__}: {error}")
            else:
                if count:
                    log.info("requeued faults taken up", count=count)
