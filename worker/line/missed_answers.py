"""Sends the missed answers again that a connector asks for (`producer.contract.missed_answers`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import redis
import structlog

from db.engine import clock
from db.engine.database import Database
from db.queries.missed_answers import answers_since
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.connector_report import CONNECTORS
from producer.contract.missed_answers import MissedAnswersEnd, MissedAnswersRequest
from producer.runtime.periodic import Periodic
from worker.broker.patient_redis import connect_patiently
from worker.line.mapping import check_answer, label_answer, verdict_answer
from worker.line.notifier import Notifier

log = structlog.get_logger()

LOOK_EVERY: Final = 1.0
"""Seconds between two looks for requests."""

_TAKEN: Final = "connector-asked:"
"""How the Redis key begins by which one worker takes a request."""

_TAKEN_SECONDS: Final = 60

CLOCKS_DIFFER: Final = 300.0
"""Seconds by which clocks may differ: half of what connectors ask for too much."""


class MissedAnswersWatch(Periodic):
    """Looks for such requests, from entering the block to its end; of several workers one answers."""

    def __init__(self, database: Database, redis_url: str, notifier: Notifier) -> None:
        super().__init__(LOOK_EVERY, name="missed-answers", failure="missed answers are not sent again yet")
        self._database = database
        self._redis: redis.Redis = connect_patiently(redis_url)
        self._notifier = notifier

    def turn(self) -> None:
        """Answer the requests.

        Raises:
            DatabaseUnavailable, redis.RedisError: one of them is away; the next look is soon.
        """
        for wanted in self._requests():
            taken = f"{_TAKEN}{wanted.request}"
            if not self._redis.set(taken, "", nx=True, ex=_TAKEN_SECONDS):
                continue
            try:
                self._answer(wanted)
            except BaseException:
                self._redis.delete(taken)
                raise

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._redis.close()

    def _answer(self, wanted: MissedAnswersRequest) -> None:
        with self._database.reading() as session:
            in_time = self._clocks_agree(clock.of_database(session))
            missed = answers_since(session, wanted.moment) if in_time else None
        if missed is None:
            why = "there are too many" if in_time else "the clocks of Redis, the database and this worker differ"
            log.warning("missed answers cannot be sent again", since=wanted.moment.isoformat(), why=why)
            self._notifier.send_missed((), (), MissedAnswersEnd(request=wanted.request, complete=False))
            return
        answers: list[tuple[str, VerdictAnswer | CheckAnswer]] = [
            *((row.station, verdict_answer(row, row)) for row in missed.verdicts),
            *((label.station, label_answer(label)) for label in missed.labels),
            *((check.station, check_answer(check)) for check in missed.checks),
        ]
        self._notifier.send_missed(missed.news, answers, MissedAnswersEnd(request=wanted.request, complete=True))
        log.info("missed answers were sent again", since=wanted.moment.isoformat(), answers=len(answers))

    def _clocks_agree(self, of_database: datetime) -> bool:
        """Whether what was asked for by the clock of Redis can be found by those of the database and of workers."""
        seconds, microseconds = self._redis.time()
        moments = [of_database.timestamp(), time.time(), seconds + microseconds / 1e6]
        return max(moments) - min(moments) <= CLOCKS_DIFFER

    def _requests(self) -> Iterator[MissedAnswersRequest]:
        values: dict[bytes, bytes] = self._redis.hgetall(CONNECTORS)  # type: ignore[assignment]
        for text in values.values():
            if (wanted := MissedAnswersRequest.read(text.decode(errors="replace"))) is not None:
                yield wanted
