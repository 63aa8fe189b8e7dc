"""Judges again what a person has requeued, beside the queue and by the same path through the worker."""

from __future__ import annotations

import json
from functools import partial
from typing import Final

import structlog

from db.engine.database import Database
from db.line import faults
from db.line.faults import Fault
from worker.line.inspector import Inspector
from worker.runtime.periodic import Periodic
from worker.runtime.waiting import retry_while_unavailable

log = structlog.get_logger()

LOOK_EVERY: Final = 3.0
"""Seconds between two looks for requeued faults."""

AT_ONCE: Final = 20
"""How many faults one look handles at most."""


class RequeueWatch(Periodic):
    """Looks for requeued faults every few seconds, from entering the block to its end."""

    def __init__(self, database: Database, inspector: Inspector) -> None:
        super().__init__(LOOK_EVERY, name="requeue", failure="requeued faults were not taken up")
        self._database = database
        self._inspector = inspector

    def turn(self) -> None:
        """Handle the events of requeued faults; each ends in a verdict or in a new fault.

        Several workers may do so at once: what one has judged the others only confirm.
        """
        requeued = retry_while_unavailable(self._requeued)
        for fault in requeued:
            self._inspector.inspect(_message(fault), received_at=fault.first_at)
            retry_while_unavailable(partial(self._close, fault))
        if requeued:
            log.info("requeued faults taken up", count=len(requeued))

    def _requeued(self) -> list[Fault]:
        with self._database.reading() as session:
            return faults.search(session, state="requeued", limit=AT_ONCE)

    def _close(self, fault: Fault) -> None:
        with self._database.transaction() as session:
            faults.close(session, fault.id)


def _message(fault: Fault) -> object:
    try:
        return json.loads(fault.event)
    except ValueError:  # it was cut, or never was JSON
        return fault.event
