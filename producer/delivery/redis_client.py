"""A station's two uses of Redis: sending events and reading answers, every call bounded in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import redis
import structlog
from celery import Celery
from pydantic import ValidationError

from producer.contract.answers import ANSWERS, STREAM_FIELD, CheckAnswer, FaultAnswer, VerdictAnswer, stream_of
from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK, CaptureEvent, message_of, new_id
from producer.delivery.redis_connection import check_url, connect
from producer.delivery.redis_transport import BROKER, UrlTransport
from producer.terminal.error_text import in_words

log = structlog.get_logger()

CALL_TIMEOUT: Final = 3.0
"""Seconds that one call to Redis may take. Publishing makes at most three (connect, greet, push), so a hanging Redis
is detected within ten seconds (kombu has no timeout of its own: celery#4296)."""

READ_BLOCK_MS: Final = 1000
"""How long one read waits for an answer; below `CALL_TIMEOUT`, so that an empty stream is not taken for a fault."""


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

    def __init__(self, redis_url: str, station: str, position: str, came_back_empty: Callable[[], None] = lambda: None):
        """Nothing is connected yet; `came_back_empty` is called whenever Redis has lost what was read before."""
        self.position = position
        self._came_back_empty = came_back_empty
        self._stream = stream_of(station)
        self._checked = False
        self._redis: redis.Redis = connect(redis_url, timeout=CALL_TIMEOUT)

    def read(self) -> list[VerdictAnswer | FaultAnswer | CheckAnswer]:
        """The next answers, after a wait of at most a second; none when there are none.

        Raises:
            redis.RedisError: Redis is away or hanging; call again later.
        """
        try:
            if not self._checked:
                self._start_over_after_a_wipe()
            batches: Any = self._redis.xread({self._stream: self.position}, count=500, block=READ_BLOCK_MS)
        except redis.RedisError:
            self._checked = False
            raise
        # While nothing comes, look again: Redis may be emptied without a connection being lost.
        self._checked = bool(batches)
        answers = []
        for _, entries in batches:
            for entry_id, fields in entries:
                self.position = entry_id.decode()
                try:
                    answers.append(ANSWERS.validate_json(fields.get(STREAM_FIELD, b"")))
                except ValidationError as error:
                    problem = in_words(error, "answer")
                    log.error("an answer is not understood and was passed over", id=self.position, problem=problem)
        return answers

    def _start_over_after_a_wipe(self) -> None:
        # A Redis that came back empty may, with a clock behind, hand out ids below our position: never read again.
        last: Any = self._redis.xrevrange(self._stream, count=1)
        newest = last[0][0].decode() if last else "0-0"
        if _order(newest) < _order(self.position):
            self._came_back_empty()
            self.position = "0-0"
        self._checked = True

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)
