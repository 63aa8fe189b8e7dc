"""Answers to the stations, after the commit: those of one message, and of the checks that they finish, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from db.engine.database import Database
from db.line import checks, incomplete_checks
from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from worker.line.mapping import check_answer
from worker.line.notifier import Notifier
from worker.runtime.waiting import DATABASE, REDIS, retry_while_unavailable


@dataclass(frozen=True)
class Outgoing:
    """An answer to a station, and the check that may be finished by it."""

    station: str
    check_id: UUID | None
    answer: VerdictAnswer | FaultAnswer


class Answers:
    """Sends answers."""

    def __init__(self, database: Database, notifier: Notifier):
        self._database = database
        self._notifier = notifier

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send them, and return when Redis has them; a database or a Redis that is away is waited for.

        To be called after the commit of what is answered.

        Raises:
            worker.runtime.waiting.ShuttingDown: the process ends while one of them is away.
        """
        if outgoing:
            retry_while_unavailable(partial(self._send, outgoing), REDIS, DATABASE)

    def _send(self, outgoing: Sequence[Outgoing]) -> None:
        # The checks are read after the commit: of several workers that finish one at once, the last to commit sees
        # all the others' verdicts, so at least one of them reports the check.
        station_of = {message.check_id: message.station for message in outgoing if message.check_id is not None}
        answers: list[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]]
        answers = [(message.station, message.answer) for message in outgoing]
        if station_of:
            with self._database.reading() as session:
                finished = checks.finished(session, station_of.keys())
                doubtful = checks.to_doubt(session, [check.check_id for check in finished]) if finished else []
            if doubtful:  # one photograph for two pockets, by its pixels: rare, and noted before anything is answered
                with self._database.transaction() as session:
                    incomplete_checks.doubt(session, doubtful)
                with self._database.reading() as session:
                    finished = checks.finished(session, station_of.keys())
            answers += [(station_of[check.check_id], check_answer(check)) for check in finished]
        self._notifier.send(answers)
