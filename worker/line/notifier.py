"""Appends answers to each station's Redis stream, and to that of the plant, after the verdict is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import redis
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
from producer.contract.missed_answers import MissedAnswersEnd
from producer.contract.news_look import LOOKED
from producer.contract.plant_event import PLANT_LENGTH, PLANT_STREAM, STATION_FIELD
from producer.contract.plant_news import FaultRun, Hold, InsertChangeAnswer, News
from worker.broker.patient_redis import Command, call_together, connect_patiently

log = structlog.get_logger()

_Entry = tuple[str, dict[bytes, str], int]
"""What is appended: a stream's key, the fields, and how many entries the stream keeps."""


class Notifier:
    """Writes answers to the stations' streams, and all of them to the plant's; safe to use from several threads."""

    def __init__(self, redis_url: str, plant_length: int = PLANT_LENGTH):
        """Nothing is connected yet; the plant's stream keeps about `plant_length` answers; 0: none of the line's."""
        self._redis = connect_patiently(redis_url)
        self._plant_length = plant_length

    def send(
        self,
        answers: Iterable[tuple[str, VerdictAnswer | FaultAnswer | CheckAnswer]],
        holds: Callable[[], Iterable[Hold]] = tuple,
    ) -> None:
        """Append each answer to its station's stream, in order, in one call; the plant's also has remaining lives.

        The plant's has the `holds` before them, which are asked for as they are sent: others go on while Redis is away.
        A station whose stream key has the wrong Redis type loses its answers; the others get theirs.

        Raises:
            redis.RedisError: Redis is away or full; not all answers have been sent.
        """
        entries: list[_Entry] = []
        for station, answer in answers:
            entries.append((stream_of(station), station_entry(answer), STREAM_LENGTH))
            if self._plant_length:
                entries.append(_plant_entry(answer, self._plant_length, station))
        if not entries:
            return

        def all_entries() -> list[_Entry]:
            return [_plant_entry(hold, self._plant_length) for hold in holds() if self._plant_length] + entries

        for key in self._append(all_entries):
            log.error("nobody can be told here: what is there is no stream, delete it", key=key)

    def send_missed(
        self, news: Iterable[News], answers: Iterable[tuple[str, VerdictAnswer | CheckAnswer]], end: MissedAnswersEnd
    ) -> None:
        """Append missed answers to the plant's stream alone, in order, and then that these were all.

        Where the stream keeps fewer, none is appended, and the end says so: what comes behind the first of them would
        push that out before it is read.

        Raises:
            redis.RedisError: Redis is away or full; not all of it has been said.
        """
        length = self._plant_length
        entries = [_plant_entry(piece, length) for piece in news]
        entries += [_plant_entry(answer, length, station) for station, answer in answers]
        if len(entries) >= length:
            self._append_to_plant([_plant_entry(end.model_copy(update={"complete": False}), length or PLANT_LENGTH)])
            return
        self._append_to_plant(entries)
        self._append_to_plant([_plant_entry(end, length)])  # only once all before it are there

    def emit(self, news: Iterable[News]) -> None:
        """Append to the plant's stream alone.

        Raises:
            redis.RedisError: Redis is away or full, or there is no stream; not all of it has been said.
        """
        if length := self._plant_length:
            self._append_to_plant([_plant_entry(piece, length) for piece in news])

    def tell_plant(self, answers: Iterable[tuple[str, VerdictAnswer]]) -> None:
        """Append answers to the plant's stream alone, each with the station whose photograph it is of.

        Raises:
            redis.RedisError: Redis is away or full, or there is no stream; not all of it has been said.
        """
        if length := self._plant_length:
            self._append_to_plant([_plant_entry(answer, length, station) for station, answer in answers])

    def answer(self, answer: InsertChangeAnswer) -> None:
        """Send the result of an insert change, even if nothing else is sent: its reporter repeats it until then.

        Raises:
            redis.RedisError: Redis is away or full, or there is no stream; it has not been said.
        """
        self._append_to_plant([_plant_entry(answer, self._plant_length or PLANT_LENGTH)])

    def looked(self, seconds: float) -> None:
        """Prove for so long that all the plant's news was sent; where none is sent to it, nothing is proved.

        Raises:
            redis.RedisError: Redis is away or full.
        """
        if self._plant_length:
            self._redis.set(LOOKED, "", px=int(seconds * 1000))

    def close(self) -> None:
        """Drop the connections."""
        self._redis.close()

    def _append_to_plant(self, entries: Sequence[_Entry]) -> None:
        if entries and self._append(lambda: entries):
            raise redis.ResponseError(f"WRONGTYPE what is in Redis as {PLANT_STREAM} is no stream")

    def _append(self, entries: Callable[[], Sequence[_Entry]]) -> list[str]:
        """Append entries in order, in one call; the keys of those whose stream has the wrong Redis type."""
        return [str(command[1]) for command in call_together(self._redis, lambda: _commands(entries()))]


def _commands(entries: Sequence[_Entry]) -> list[Command]:
    commands: list[Command] = [
        ["XADD", key, "MAXLEN", "~", length, "*", *(part for field in fields.items() for part in field)]
        for key, fields, length in entries
    ]
    return [*commands, *(("EXPIRE", key, STREAM_SECONDS) for key in dict.fromkeys(key for key, _, _ in entries))]


def _plant_entry(
    answer: VerdictAnswer | FaultAnswer | CheckAnswer | News | MissedAnswersEnd, length: int, station: str = ""
) -> _Entry:
    """An entry of the plant's stream; `station` is empty where the answer is for none."""
    if isinstance(answer, FaultRun):
        station = answer.station
    return PLANT_STREAM, {STREAM_FIELD: answer.model_dump_json(exclude_none=True), STATION_FIELD: station}, length
