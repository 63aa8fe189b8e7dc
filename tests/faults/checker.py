"""The one check that all fault tests end with: verdicts ∪ faults = submitted, nothing twice, nothing left under way."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sized
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import redis

import db.line.faults
import db.line.verdicts
from db.engine.database import Database
from producer.contract.event import INSPECT_QUEUE
from worker.broker.redelivery import VISIBILITY_TIMEOUT


class Reachable(Protocol):
    """A Redis, wherever it runs."""

    def client(self) -> redis.Redis:
        """A new client of it."""
        ...


@dataclass(frozen=True)
class Account:
    """What became of everything that was submitted; `left` is what is still under way, by where."""

    submitted: int
    judged: int
    faults: int
    lost: int
    duplicates: int
    left: dict[str, int] = field(default_factory=dict)

    def assert_kept(self) -> None:
        """Every capture ended, each once, and nothing is under way any more."""
        assert (self.lost, self.duplicates, self.left) == (0, 0, {}), self
        assert self.judged + self.faults == self.submitted, self


def account(url: str, submitted: Collection[UUID], left: dict[str, int]) -> Account:
    """Count, in the database at `url`, what became of the captures that were `submitted`."""
    current = judged_of(url)
    database = Database(url)
    with database.reading() as session:
        verdicts = db.line.verdicts.count(session)
        faults = {fault.capture_id for fault in db.line.faults.search(session, limit=1_000_000)}
    database.close()
    wanted, judged = set(submitted), set(current)
    return Account(
        submitted=len(wanted),
        judged=len(judged & wanted),
        faults=len((faults - judged) & wanted),
        lost=len(wanted - judged - faults),
        duplicates=(len(current) - len(judged)) + (verdicts - len(judged)),
        left=left,
    )


def judged_of(url: str) -> list[UUID]:
    """The captures that have a verdict in force, in the database at `url`."""
    database = Database(url)
    with database.reading() as session:
        judged = [row.capture_id for row in db.line.verdicts.export(session)]
    database.close()
    return judged


def drain(server: Reachable, outboxes: Iterable[Sized], seconds: float) -> dict[str, int]:
    """Wait until queue, unacknowledged messages and outboxes are empty; what is not when the time runs out."""
    boxes = list(outboxes)
    end = time.monotonic() + seconds
    while True:
        left = _left(server, boxes)
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.1)


def a_minute_later(server: Reachable) -> None:
    """Make what is unacknowledged a visibility timeout older, so that nobody waits a minute for a dead worker's part.

    Only the clock is turned: it is still the workers' sweep that puts the messages back.
    """
    client = server.client()
    for tag in client.zrange("unacked_index", 0, -1):  # type: ignore[union-attr]
        client.zincrby("unacked_index", -VISIBILITY_TIMEOUT, tag)
    client.close()


def _left(server: Reachable, outboxes: list[Sized]) -> dict[str, int]:
    client = server.client()
    try:
        counts = {
            "outboxes": sum(len(outbox) for outbox in outboxes),
            "queue": int(client.llen(INSPECT_QUEUE)),  # type: ignore[arg-type]
            "unacknowledged": int(client.hlen("unacked")),  # type: ignore[arg-type]
        }
    except redis.RedisError:
        return {"redis": 1}
    finally:
        client.close()
    return {where: count for where, count in counts.items() if count}
