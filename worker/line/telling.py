"""Tells stations what was committed, and of a check at last what stands in the database.

Two processes may commit answers of one check, one after the other, as where a pocket is photographed anew; and the
first may be kept from telling its own: by a Redis that refuses writes for a while, or by the system. So a check is read
again before it is told later than at once, and after it was told until what was told is what stands there. Who commits
another answer meanwhile tells it after that: so the last one that is told is the one that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from db.engine.database import Database
from db.line import checks
from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from worker.line.mapping import check_answer
from worker.line.notifier import Notifier
from worker.runtime.waiting import DATABASE, REDIS, retry_while_unavailable

Told = tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]
"""A station and an answer for it."""


class Telling:
    """Tells stations through a notifier; one thread at a time."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def tell(self, answers: Sequence[Told], of_checks: Mapping[UUID, tuple[str, CheckAnswer]]) -> None:
        """Tell verdicts and faults, and after them the answers of checks, each with its station; waits for Redis.

        Raises:
            worker.runtime.waiting.ShuttingDown: the process ends while Redis or the database is away.
        """
        to_tell, late = dict(of_checks), False

        def attempt() -> None:
            nonlocal to_tell, late
            if late:
                to_tell = self._as_they_stand(to_tell)
            late = True
            self._notifier.send([*answers, *to_tell.values()])

        if answers or to_tell:
            retry_while_unavailable(attempt, REDIS, DATABASE)
        if to_tell:
            self.correct(to_tell)

    def correct(self, said: Mapping[UUID, tuple[str, CheckAnswer]]) -> None:
        """Tell checks again that stand otherwise in the database by now than they were told.

        Raises:
            worker.runtime.waiting.ShuttingDown: the process ends while Redis or the database is away.
        """
        while said:
            before = said
            now = retry_while_unavailable(lambda: self._as_they_stand(before))  # noqa: B023 - called at once
            said = {check_id: answer for check_id, answer in now.items() if answer != before[check_id]}
            if said:
                retry_while_unavailable(lambda: self._notifier.send(said.values()), REDIS)  # noqa: B023 - called at once

    def _as_they_stand(self, of: Mapping[UUID, tuple[str, CheckAnswer]]) -> dict[UUID, tuple[str, CheckAnswer]]:
        """These checks as the database has them, without those that are pending: they are told when they are not."""
        if not of:
            return {}
        with self._database.reading() as session:
            finished = checks.finished(session, of.keys())
        return {check.check_id: (of[check.check_id][0], check_answer(check)) for check in finished}


def answers_of(finished: Iterable[checks.Check], stations: Mapping[UUID, str]) -> dict[UUID, tuple[str, CheckAnswer]]:
    """The answers of some checks, by their ids, each with its station."""
    return {check.check_id: (stations[check.check_id], check_answer(check)) for check in finished}
