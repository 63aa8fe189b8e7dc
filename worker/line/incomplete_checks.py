"""Ends checks that lack photographs of some pockets after a timeout: a person must look at them.

The timeout is measured by monotonic clocks, from when a worker first saw a check in its present state: neither a clock
that is set nor a worker that was down for a night ends a check early. The time seen so far is noted in the database,
and the next worker continues from there: so a worker that is restarted again and again also ends the check. Every
worker looks. Where two end the same check at once its station gets the answer twice, which is harmless.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

import db.line.checks
from db.engine.database import Database
from db.line import incomplete_checks
from db.line.incomplete_checks import Awaited
from producer.runtime.periodic import Periodic
from worker.line.mapping import check_answer
from worker.line.notifier import Notifier
from worker.monitoring.metrics import WorkerMetrics

log = structlog.get_logger()

LOOK_EVERY: Final = 5.0
"""Seconds between two looks for checks that wait for photographs, at most."""

ANSWERED_WITHIN: Final = timedelta(days=1)
"""A check whose last photograph is older when it is first seen ends without an answer to its station, which has long
gone on. By then, not at its end: the clock may have been set forward since."""

NOTE_EVERY: Final = 10.0
"""Seconds between two notes of how long a check was seen to wait; a worker that lives for less writes none."""

CATCH_UP: Final = 60.0
"""Seconds, a tenth of the timeout at most, for which each worker sees a check itself before it ends it: photographs
may wait in the queue."""

CHECKS_AT_ONCE: Final = 50
"""How many checks one look ends at most."""


@dataclass(frozen=True)
class _Seen:
    state: Awaited
    since: float
    is_old: bool


class Unchanged:
    """Remembers since when each check has been in its present state."""

    def __init__(self, timeout: float):
        self._timeout = timeout
        self._longest = timeout - min(CATCH_UP, timeout / 10)
        self._seen: dict[UUID, _Seen] = {}

    def overdue(
        self, awaited: Mapping[UUID, Awaited], now: float, noted: Mapping[UUID, tuple[Awaited, float]] | None = None
    ) -> dict[UUID, Awaited]:
        """The checks that wait for photographs and have not changed for `timeout` seconds.

        `noted` is for how many seconds workers before this one have seen some in one state.
        """
        before, old = self._seen, datetime.now(UTC) - ANSWERED_WITHIN
        known = noted or {}

        def seen(check_id: UUID, check: Awaited) -> _Seen:
            if check_id in before and before[check_id].state == check:
                return before[check_id]
            state, seconds = known.get(check_id, (check, 0.0))
            since = now - min(seconds, self._longest) if state == check else now
            return _Seen(check, since, is_old=check.last_at <= old)

        self._seen = {check_id: seen(check_id, check) for check_id, check in awaited.items()}
        return {check_id: seen.state for check_id, seen in self._seen.items() if now - seen.since >= self._timeout}

    def to_note(self, noted: Mapping[UUID, tuple[Awaited, float]], now: float) -> dict[UUID, tuple[Awaited, float]]:
        """For how many seconds checks were seen in their present state, where that is long more than is noted."""
        seen = {check_id: (one.state, now - one.since) for check_id, one in self._seen.items()}

        def known(check_id: UUID, state: Awaited) -> float:
            before, seconds = noted.get(check_id, (state, 0.0))
            return seconds if before == state else 0.0

        return {
            check_id: (state, seconds)
            for check_id, (state, seconds) in seen.items()
            if seconds - known(check_id, state) >= NOTE_EVERY
        }

    def is_old(self, check_id: UUID) -> bool:
        """Whether an overdue check's last photograph was already old when the check was first seen in this state."""
        return self._seen[check_id].is_old


class IncompleteWatch(Periodic):
    """Looks for such checks every few seconds, from entering the block to its end."""

    def __init__(self, database: Database, notifier: Notifier, metrics: WorkerMetrics, timeout: float) -> None:
        """A check ends `timeout` seconds after its last photograph."""
        super().__init__(min(LOOK_EVERY, timeout / 4), name="incomplete", failure="incomplete checks were not ended")
        self._database = database
        self._notifier = notifier
        self._metrics = metrics
        self._unchanged = Unchanged(timeout)

    def turn(self) -> None:
        """End the checks that are overdue now."""
        self.look(time.monotonic())

    def look(self, now: float) -> int:
        """End the checks that are overdue at `now` (seconds of `time.monotonic`); how many there were.

        The answer is sent first: after a crash between the two it is sent again rather than never.

        Raises:
            DatabaseUnavailable, redis.RedisError: one of them is away; what was not ended is found at the next look.
        """
        with self._database.reading() as session:
            noted = incomplete_checks.seen_for(session)
            overdue = self._unchanged.overdue(incomplete_checks.awaited(session), now, noted)
        overdue = dict([*overdue.items()][:CHECKS_AT_ONCE])
        if to_note := self._unchanged.to_note(noted, now):
            with self._database.transaction() as session:
                incomplete_checks.note_seen(session, to_note)
        if not overdue:
            return 0
        with self._database.transaction() as session:
            checks = db.line.checks.if_given_up(session, overdue.keys())
        # A check with photographs that are not judged yet is answered when they are.
        ended = [
            check
            for check in checks
            if check.missing and check.state != "pending" and not self._unchanged.is_old(check.check_id)
        ]
        self._notifier.send([(check.station, check_answer(check)) for check in ended])
        with self._database.transaction() as session:
            incomplete_checks.give_up(session, overdue)
        for check in ended:
            self._metrics.checks_incomplete.inc()
            log.warning(
                "a check ends without photographs of some pockets",
                check=str(check.check_id),
                station=check.station,
                machine=check.machine,
                head=check.head,
                missing=list(check.missing),
            )
        return len(overdue)
