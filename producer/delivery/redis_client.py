"""A station's two uses of Redis: sending events and reading answers, every call bounded in time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

import structlog
from celery import Celery
from pydantic import ValidationError

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer, answer_in, stream_of
from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK, CaptureEvent, message_of, new_id
from producer.delivery.redis_connection import check_url
from producer.delivery.redis_transport import BROKER, UrlTransport
from producer.delivery.stream_reader import CALL_TIMEOUT, StreamReader, order
from producer.terminal.error_text import in_words

log = structlog.get_logger()

_NOTHING_OLD: Final[tuple[str, Collection[UUID]]] = ("0-0", ())
"""The newest entry of old, and what is awaited of those."""


class EventSender:
    """Sends capture events to the workers' queue, as the Celery messages that they are."""

    def __init__(self, redis_url: str):
        check_url(redis_url)
        self._app = Celery("station", broker=BROKER, set_as_current=False)
        self._app.conf.update(
            broker_transport=UrlTransport,
            task_serializer="json",
            accept_content=["json"],
            task_ignore_result=True,  # the verdict stream is the only way back
            broker_connection_timeout=CALL_TIMEOUT,
            broker_transport_options={
                "redis_url": redis_url,
                "socket_timeout": CALL_TIMEOUT,
                "socket_connect_timeout": CALL_TIMEOUT,
                "socket_keepalive": True,
            },
        )

    def send(self, *events: CaptureEvent) -> None:
        """Put events of one station into the queue, as one message.

        Raises:
            kombu.exceptions.OperationalError: Redis is away, hanging or full. Whether the events arrived is unknown
                then; sending them again is harmless.
        """
        # No retry here: the outbox is what tries again, and it does so for days rather than for half a second.
        self._app.send_task(
            INSPECT_TASK,
            args=[message_of(events)],
            task_id=str(new_id() if len(events) > 1 else events[0].capture_id),
            queue=INSPECT_QUEUE,
            retry=False,
            declare=[],  # the queue is the workers' to declare; a station needs no right but to push
        )

    def close(self) -> None:
        """Close the connections."""
        self._app.close()


class AnswerReader:
    """Reads one station's stream of answers from a position onwards."""

    def __init__(
        self,
        redis_url: str,
        station: str,
        position: str | None,
        awaited: Callable[[], Collection[UUID]],
        came_back_empty: Callable[[], None] = lambda: None,
    ):
        """Nothing is connected yet.

        Args:
            redis_url: of any form that `producer.delivery.redis_connection` reads.
            station: whose answers are read.
            position: the id of the last that was read before; None where it was lost, or none ever was. Of what is in
                the stream at the first reading only answers to captures and checks that are `awaited` then are meant:
                others are of long ago, and nobody may take them for the present.
            awaited: the ids of those.
            came_back_empty: called whenever Redis has lost what was read before.
        """
        self._stream = StreamReader(redis_url, stream_of(station), position or "0-0", self._start_over)
        self._came_back_empty = came_back_empty
        self._awaited = awaited
        self._old: tuple[str, Collection[UUID]] | None = None if position is None else _NOTHING_OLD

    @property
    def position(self) -> str:
        """The id of the last entry that was read."""
        return self._stream.position

    def read(self) -> list[VerdictAnswer | FaultAnswer | CheckAnswer]:
        """The next answers, after a wait of at most a second; none when there are none.

        Raises:
            redis.RedisError: Redis is away or hanging; call again later.
        """
        if self._old is None:
            self._old = self._stream.newest(), self._awaited()
        entries = self._stream.read()  # which may start over
        newest_of_old, awaited = self._old
        answers = []
        for entry in entries:
            try:
                answer = answer_in(entry.fields)
                if order(newest_of_old) < order(entry.id) or _subject(answer) in awaited:
                    answers.append(answer)
            except ValidationError as error:
                problem = in_words(error, "answer")
                log.error("an answer is not understood and was passed over", id=entry.id, problem=problem)
        return answers

    def _start_over(self) -> None:
        """All that is in the stream by now is new, whatever its ids."""
        self._old = _NOTHING_OLD
        self._came_back_empty()

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()


def _subject(answer: VerdictAnswer | FaultAnswer | CheckAnswer) -> UUID | None:
    """The capture or the check that an answer is to."""
    return answer.check_id if isinstance(answer, CheckAnswer) else answer.capture_id
