"""Appends answers to each station's Redis stream, after the verdict is committed."""

from __future__ import annotations

from collections.abc import Iterable

import redis
import structlog

from producer.contract.answers import (
    STREAM_FIELD,
    STREAM_LENGTH,
    STREAM_SECONDS,
    CheckAnswer,
    FaultAnswer,
    VerdictAnswer,
    stream_of,
)
from worker.broker.patient_redis import connect_patiently

log = structlog.get_logger()


class Notifier:
    """Writes answers to the stations' streams; safe to use from several threads."""

    def __init__(self, redis_url: str):
        self._redis = connect_patiently(redis_url)

    def send(self, answers: Iterable[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]]) -> None:
        """Append each answer to its station's stream, in order, in one call.

        A station whose stream key has the wrong Redis type loses its answers; the others get theirs.

        Raises:
            redis.RedisError: Redis is away or full; not all answers have been sent.
        """
        pipe = self._redis.pipeline(transaction=False)
        streams = []
        for station, answer in answers:
            entry = {STREAM_FIELD: answer.model_dump_json(exclude_none=True)}
            pipe.xadd(stream_of(station), entry, maxlen=STREAM_LENGTH, approximate=True)  # type: ignore[arg-type]
            streams.append(stream_of(station))
        for stream in set(streams):
            pipe.expire(stream, STREAM_SECONDS)
        replies = pipe.execute(raise_on_error=False)
        for stream, reply in zip(streams, replies, strict=False):
            if isinstance(reply, redis.ResponseError) and str(reply).startswith("WRONGTYPE"):
                log.error("a station cannot be told: what is there is no stream, delete it", key=stream)
            elif isinstance(reply, Exception):
                raise reply

    def close(self) -> None:
        """Drop the connections."""
        self._redis.close()
