"""Takes up faults that a person has requeued: a message of the inspect queue names the fault.

The fault is closed by the transaction that commits its verdict, or its new fault (`worker.line.inspector`). Until then
its message is sent again from time to time, so a lost message does not lose the fault.
"""

from __future__ import annotations

import json
import time
from typing import Final

import structlog

from db.engine.database import Database
from db.line import faults
from db.line.faults import Fault
from producer.runtime.periodic import Periodic
from worker.broker.messages import MessageSender, celery_message

log = structlog.get_logger()

LOOK_EVERY: Final = 3.0
"""Seconds between two looks for requeued faults."""

SEND_AGAIN_AFTER: Final = 60.0
"""Seconds after which a fault that is still requeued is sent again."""

FAULTS_AT_ONCE: Final = 20
"""How many faults one look sends at most."""

_ID: Final = "requeued-fault-"


class RequeueWatch(Periodic):
    """Looks for requeued faults every few seconds, from entering the block to its end."""

    def __init__(self, database: Database, sender: MessageSender) -> None:
        super().__init__(LOOK_EVERY, name="requeue", failure="requeued faults were not taken up")
        self._database = database
        self._sender = sender
        self._sent: dict[int, float] = {}

    def turn(self) -> None:
        """Send the requeued faults that were not sent lately.

        Several workers may do so at once: captures that one has judged are only confirmed by the others.

        Raises:
            DatabaseUnavailable, redis.RedisError: one of them is away; the next look is soon.
        """
        now = time.monotonic()
        with self._database.reading() as session:
            requeued = {fault.id: fault for fault in faults.search(session, state="requeued")}
        self._sent = {
            number: at for number, at in self._sent.items() if number in requeued and now - at < SEND_AGAIN_AFTER
        }
        due = [fault for number, fault in requeued.items() if number not in self._sent][:FAULTS_AT_ONCE]
        self._sender.send([celery_message(json.dumps(None), f"{_ID}{fault.id}") for fault in due])
        self._sent |= {fault.id: now for fault in due}
        if due:
            log.info("requeued faults taken up", count=len(due))


def number_in(message_id: str) -> int | None:
    """The number of the fault that a message of this id takes up again; None where it takes up none."""
    number = message_id.removeprefix(_ID)
    return int(number) if number != message_id and number.isdecimal() and len(number) < 19 else None


def event_of(fault: Fault) -> object:
    """What the message held that ended as this fault."""
    try:
        return json.loads(fault.event)
    except ValueError:  # it was cut, or never was JSON
        return fault.event
