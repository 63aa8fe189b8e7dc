"""Ends checks that lack photographs of some pockets after a timeout: a person must look at them.

The timeout is measured by this process's monotonic clock, from when it first saw a check in its present state: no clock
that is set ends one early, nor does a worker that was down for a night. Every worker looks. Where two end the same
check at once its station gets the answer twice, which is harmless.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

import db.line.checks
from db.engine.database import Database
from db.line import incomplete_checks
from db.line.incomplete_checks import Awaited
from worker.line.mapping import check_answer
from worker.line.notifier import Notifier
from worker.monitoring.metrics import WorkerMetrics
from worker.runtime.periodic import Periodic

log = structlog.get_logger()

LOOK_EVERY: Final = 5.0
"""Seconds between two looks for checks that wait for photographs, at most."""

ANSWERED_WITHIN: Final = timedelta(days=1)
"""A check whose last photograph is older ends without an answer to its station, which has long gone on."""

AT_ONCE: Final = 50
"""How many checks one look ends at most."""


class Unchanged:
    """Remembers since when each check has been in its present state."""

    def __init__(self, timeout: float):
        self._timeout = timeout
        self._since: dict[UUID, tuple[Awaited, float]] = {}

    def overdue(self, awaited: Mapping[UUID, Awaited], now: float) -> dict[UUID, Awaited]:
        """Of the checks that wait for photographs those that have not changed for `timeout` seconds."""
        before = self._since
        self._since = {
            check_id: before[check_id] if check_id in before and before[check_id][0] == check else (check, now)
            for check_id, check in awaited.items()
        }
        return {check_id: check for check_id, (check, since) in self._since.items() if now - since >= self._timeout}


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
            overdue = dict(list(self._unchanged.overdue(incomplete_checks.awaited(session), now).items())[:AT_ONCE])
        if not overdue:
            return 0
        with self._database.transaction() as session:
            checks = db.line.checks.if_given_up(session, overdue.keys())
        recent = datetime.now(UTC) - ANSWERED_WITHIN
        # A check with photographs that are not judged yet is answered when they are.
        ended = [
            check
            for check in checks
            if check.missing and check.state != "pending" and overdue[check.check_id].last_at > recent
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
