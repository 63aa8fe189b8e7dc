"""Answers to the stations: what many threads have to send at one moment is one read and one call to Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from db.engine.database import Database
from db.line import checks
from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from worker.line.batching import Batcher
from worker.line.mapping import check_answer
from worker.line.notifier import Notifier
from worker.line.write_batcher import MAX_ROWS
from worker.runtime.waiting import DATABASE, REDIS, retry_while_unavailable


@dataclass(frozen=True)
class _Outgoing:
    """An answer to a station, and the check that may be finished by it."""

    station: str
    check_id: UUID | None
    answer: VerdictAnswer | FaultAnswer


class AnswerBatcher:
    """Sends answers, and those of the checks that they finish; safe to use from several threads."""

    def __init__(self, database: Database, notifier: Notifier):
        self._database = database
        self._notifier = notifier
        self._batcher: Batcher[_Outgoing, None] = Batcher(self._send, MAX_ROWS, name="answers", is_shared=_is_outage)

    def send(self, station: str, check_id: UUID | None, answer: VerdictAnswer | FaultAnswer) -> None:
        """Send an answer, and return when Redis has it; a database or a Redis that is away is waited for.

        To be called after the commit of what is answered.

        Raises:
            ShuttingDown: the process ends while one of them is away.
        """
        outgoing = _Outgoing(station, check_id, answer)
        retry_while_unavailable(partial(self._batcher.result_of, outgoing), REDIS, DATABASE)

    def close(self) -> None:
        """Finish what is waiting."""
        self._batcher.close()

    def _send(self, batch: Sequence[_Outgoing]) -> list[None]:
        # The checks are read after the commit: of several workers that finish one at once, the last to commit sees
        # all the others' verdicts, so at least one of them reports the check.
        station_of = {outgoing.check_id: outgoing.station for outgoing in batch if outgoing.check_id is not None}
        answers: list[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]]
        answers = [(outgoing.station, outgoing.answer) for outgoing in batch]
        if station_of:
            with self._database.reading() as session:
                finished = checks.finished(session, station_of.keys())
            answers += [(station_of[check.check_id], check_answer(check)) for check in finished]
        self._notifier.send(answers)
        return [None] * len(batch)


def _is_outage(error: Exception) -> bool:
    return DATABASE.is_away(error) or REDIS.is_away(error)
