"""What a message writes: one transaction when its captures arrive, and one for their results.

SQLite allows one writer at a time and the disk is waited for; PostgreSQL is a round trip away for every statement. Both
write eight captures nearly as fast as one. A database that is away is waited for (`worker.runtime.waiting`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

import structlog

import db.line.faults
import db.line.verdicts
from db.engine import clock
from db.engine.database import Database
from db.line import attempts, captures, check_revisions, check_rows, checks, holds, shadow_verdicts, untold_checks
from db.line.captures import Arrival, Known
from db.line.check_rows import NamedCheck
from db.line.shadow_verdicts import ShadowVerdict
from db.line.verdicts import Verdict
from producer.contract.event import CaptureEvent
from producer.contract.plant_news import Hold
from worker.line.attempts import MAX_ATTEMPTS
from worker.line.faults import CaptureFault, crashed
from worker.line.results import Ended
from worker.runtime.waiting import retry_while_unavailable

log = structlog.get_logger()

SENT_AT_ONCE: Final = 0.1
"""Seconds after which what was committed may no longer be all that is known of a head."""


class Writes:
    """Writes to one database.

    A method raises `worker.runtime.waiting.ShuttingDown` if the process ends while the database is away.
    """

    def __init__(self, database: Database):
        self._database = database

    def arrive(self, arrivals: Sequence[Arrival]) -> list[Known]:
        """Record captures, and the attempts that begin; what was known of each before (`db.line.captures.arrive`)."""
        return retry_while_unavailable(partial(self._arrive, arrivals)) if arrivals else []

    def begin_another_attempt(self, event: CaptureEvent, requeued: int | None) -> Verdict | CaptureFault | None:
        """Count an attempt, unless the capture has come to its end: its verdict, or the fault of too many attempts.

        The fault is recorded then; `requeued` is the one that it follows, which is closed.
        """
        return retry_while_unavailable(partial(self._begin_another_attempt, event, requeued))

    def begin_checks(self, faults: Sequence[CaptureFault]) -> list[CaptureFault]:
        """Have the checks be there that events which cannot be used name, and return the faults, each of its check.

        In a transaction of its own, as those that write checks take their rows in one order.
        """
        named = [check for fault in faults for check in fault.checks]
        if not named:
            return [*faults]
        begun = retry_while_unavailable(partial(self._begin_checks, named))
        return [
            fault if fault.check is None else replace(fault, check_id=begun.get(fault.check.own_id, fault.check_id))
            for fault in faults
        ]

    def end(
        self,
        verdicts: Sequence[Verdict],
        faults: Sequence[CaptureFault],
        requeued: int | None,
        check_ids: Collection[UUID],
        again: Collection[UUID] = (),
    ) -> Ended:
        """Commit verdicts and faults, and close the fault that was requeued; on return all of it is on disk.

        So are the answers that another process has written and this one sends again, and the checks. `check_ids` are
        the checks that may be finished now; in those of `again` nothing was judged and nothing failed.
        """
        if not verdicts and not faults and requeued is None and not check_ids:
            return Ended()
        return retry_while_unavailable(partial(self._end, verdicts, faults, requeued, check_ids, again))

    def holds_of(self, ended: Ended) -> list[Hold]:
        """What the line knows against the heads of the checks that have ended, and these do not say.

        What others have committed since counts too, if it was not sent at once: Redis was away, or this process paused.
        """
        if time.monotonic() - ended.at < SENT_AT_ONCE:
            return ended.holds
        with self._database.reading() as session:
            return holds.of_earlier_runs(session, ended.checks)

    def note_answered(self, ended: Ended) -> None:
        """Have nobody else tell the checks that ended with a fault which was requeued: they were told."""

        def write() -> None:
            with self._database.transaction() as session:
                untold_checks.remove(session, {check.check_id: check.revision for check in ended.checks})

        retry_while_unavailable(write)

    def note(self, shadows: Sequence[ShadowVerdict]) -> None:
        """Keep the shadow's verdicts. If that fails, they are only missing from the comparison."""
        if not shadows:
            return
        try:
            with self._database.transaction(synced=False) as session:
                shadow_verdicts.record(session, shadows)
        except Exception as error:  # noqa: BLE001 - whatever it is, the line goes on without it
            log.warning("what the shadow says is not kept", model=shadows[0].model_id, reason=str(error))

    def _arrive(self, arrivals: Sequence[Arrival]) -> list[Known]:
        # Nothing is answered after an arrival alone: what a power cut takes of it is there again when the message is
        # redelivered.
        with self._database.transaction(synced=False) as session:
            return captures.arrive(session, arrivals)

    def _begin_checks(self, named: Collection[NamedCheck]) -> dict[UUID, UUID]:
        with self._database.transaction() as session:
            return check_rows.begin(session, named, clock.of_database(session))

    def _begin_another_attempt(self, event: CaptureEvent, requeued: int | None) -> Verdict | CaptureFault | None:
        with self._database.transaction() as session:
            # Another worker may have come to its end with it.
            verdict = db.line.verdicts.current(session, event.capture_id, hold=True)
            if verdict is not None:
                return verdict
            before = attempts.of(session, event.capture_id)
            if before < MAX_ATTEMPTS:
                attempts.count(session, event.capture_id)
                return None
            fault = crashed(event, before)
            fault.record(session)
            check_revisions.note_pending(session, [event.check_id])
            if requeued is not None:
                db.line.faults.close(session, requeued)
            return fault

    def _end(
        self,
        verdicts: Sequence[Verdict],
        faults: Sequence[CaptureFault],
        requeued: int | None,
        check_ids: Collection[UUID],
        again: Collection[UUID],
    ) -> Ended:
        with self._database.transaction() as session:
            check_revisions.hold(session, check_ids)
            kept = db.line.verdicts.record_all(session, verdicts) if verdicts else []
            for fault in faults:
                fault.record(session)
            if requeued is not None:
                db.line.faults.close(session, requeued)
                again = ()  # without its fault a check may come to something else
            failed = {fault.check_id for fault in faults if fault.check_id is not None}
            ended = checks.finish(session, check_ids, again=again, failed=failed)
            if requeued is not None:  # after a crash its message comes again for nothing: then the watch tells these
                check_revisions.note(session, {check.check_id for check in ended})
            return Ended(kept, ended, holds.of_earlier_runs(session, ended))
