"""Appends answers to each station's Redis stream, and to that of the plant, after the verdict is committed."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from producer.contract.answers import (
    STREAM_FIELD,
    STREAM_LENGTH,
    STREAM_SECONDS,
    CheckAnswer,
    FaultAnswer,
    VerdictAnswer,
    station_entry,
    stream_of,
)
from producer.contract.plant_event import PLANT_LENGTH, PLANT_STREAM, STATION_FIELD
from producer.contract.plant_news import FaultRun, InsertChangeAnswer, News
from producer.contract.said_again import SaidAgain
from worker.broker.patient_redis import Command, call_together, connect_patiently

log = structlog.get_logger()


class Notifier:
    """Writes answers to the stations' streams, and all of them to the plant's; safe to use from several threads."""

    def __init__(self, redis_url: str, plant_length: int = PLANT_LENGTH):
        """Nothing is connected yet; the plant's stream keeps about `plant_length` answers; 0: none of the line's."""
        self._redis = connect_patiently(redis_url)
        self._plant_length = plant_length

    def send(self, answers: Iterable[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]]) -> None:
        """Append each answer to its station's stream, in order, in one call; the plant's also has remaining lives.

        A station whose stream key has the wrong Redis type loses its answers; the others get theirs.

        Raises:
            redis.RedisError: Redis is away or full; not all answers have been sent.
        """
        commands: list[Command] = []
        streams = set()

        def append(stream: str, entry: dict[bytes, str], length: int) -> None:
            fields = [part for field in entry.items() for part in field]
            commands.append(["XADD", stream, "MAXLEN", "~", length, "*", *fields])
            streams.add(stream)

        for station, answer in answers:
            append(stream_of(station), station_entry(answer), STREAM_LENGTH)
            if self._plant_length:
                append(PLANT_STREAM, _plant_entry(answer, station), self._plant_length)
        commands += [("EXPIRE", stream, STREAM_SECONDS) for stream in streams]
        if not commands:
            return
        for command in call_together(self._redis, commands):
            log.error("nobody can be told here: what is there is no stream, delete it", key=command[1])

    def say_again(
        self, news: Iterable[News], answers: Iterable[tuple[str, VerdictAnswer | CheckAnswer]], end: SaidAgain
    ) -> None:
        """Append these to the plant's stream alone, in order, and then that this was all; not what is kept from it.

        Raises:
            redis.RedisError: Redis is away or full; not all of it has been said.
        """
        length = self._plant_length
        if not length:
            self._append(end.model_copy(update={"complete": False}), PLANT_LENGTH)
            return
        self.say(news)
        pipe = self._redis.pipeline(transaction=False)
        for station, answer in answers:
            pipe.xadd(PLANT_STREAM, _plant_entry(answer, station), maxlen=length, approximate=True)  # type: ignore[arg-type]
        pipe.execute()
        self._append(end, length)

    def say(self, news: Iterable[News]) -> None:
        """Append to the plant's stream alone.

        Raises:
            redis.RedisError: Redis is away or full; not all of it has been said.
        """
        for one in news if self._plant_length else ():
            self._append(one, self._plant_length)

    def answer(self, answer: InsertChangeAnswer) -> None:
        """Send the result of an insert change, even if nothing else is sent: its reporter repeats it until then.

        Raises:
            redis.RedisError: Redis is away or full; it has not been said.
        """
        self._append(answer, self._plant_length or PLANT_LENGTH)

    def close(self) -> None:
        """Drop the connections."""
        self._redis.close()

    def _append(self, news: News | SaidAgain, length: int) -> None:
        station = news.station if isinstance(news, FaultRun) else ""
        self._redis.xadd(PLANT_STREAM, _plant_entry(news, station), maxlen=length, approximate=True)  # type: ignore[arg-type]
        self._redis.expire(PLANT_STREAM, STREAM_SECONDS)


def _plant_entry(
    answer: VerdictAnswer | FaultAnswer | CheckAnswer | News | SaidAgain, station: str
) -> dict[bytes, str]:
    """The fields of an entry of the plant's stream; `station` is empty where the answer is for none."""
    return {STREAM_FIELD: answer.model_dump_json(exclude_none=True), STATION_FIELD: station}
