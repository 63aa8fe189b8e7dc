"""The state that a sink begins with: the last answer of each head that the plant's stream still has.

For a sink that is new in the log, and for all sinks with a new log, nothing is known of earlier answers, and a system
may still show what a former connector wrote. So the states are put right before the first event: sinks show what the
stream has (no event is sent for it), and remove or overwrite what they find and nothing is known about.

The stream may be larger than this process's memory, so it is replayed in batches and only what counts is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from producer.connect.configuration.connector_file import Configured
from producer.connect.deliveries.check_event_ids import LastCheckEvent
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.sinks.last_answers import Answers
from producer.contract.answers import STREAM_FIELD
from producer.contract.plant_event import PLANT_STREAM, PlantEvent
from producer.contract.plant_news import Restored, may_be_state
from producer.delivery.stream_reader import StreamEntry, StreamReader, order

_HOW_IT_LETS_US_IN: Final = {
    "user",
    "password_file",
    "ca_file",
    "cert_file",
    "key_file",
    "certificate_file",
    "server_certificate_file",
    "users_file",
    "trusted_folder",
}
"""What may change without another system being told, or other answers being wanted."""


def reading_configurations(sinks: Iterable[tuple[str, Configured]], site: str) -> dict[str, str]:
    """How each sink is configured that shows something: which system it is, and which answers it is to have."""
    return {
        name: json.dumps([site, sink.model_dump(mode="json", exclude=_HOW_IT_LETS_US_IN)], sort_keys=True)
        for name, sink in sinks
        if sink.shows_state
    }


class InitialState:
    """What the line said so far, without a gap, as far as it counts."""

    def __init__(self, deliveries: DeliveryLog, sinks: Sequence[tuple[str, Configured]]):
        """Nothing was said yet; `sinks` are those whose readings begin, `deliveries` their log."""
        self._deliveries = deliveries
        self._sinks = sinks
        self.restored: UUID | None = None
        """The last backup that was restored (`Restored.restore_id`)."""
        self.forget()

    def forget(self) -> None:
        """Nothing of it counts: there may be something behind it that nobody knows."""
        self._count = 0
        self._answers = {name: Answers(self._deliveries.sizes.of) for name, _ in self._sinks}
        self.said: dict[str, LastCheckEvent] = {}

    def is_other(self, restored: Restored) -> bool:
        """Whether another backup was restored than is known: then nothing of before counts."""
        is_other = restored.restore_id != self.restored
        if is_other:
            self.restored = restored.restore_id
            self.forget()
        return is_other

    def hear(self, events: Sequence[PlantEvent]) -> None:
        """Take in what was said next.

        Raises:
            sqlite3.Error: what is said of checks cannot be read.
        """
        events, last_events = self._deliveries.with_event_ids(events, self.said)
        self.said |= {one.check_id: one for one in last_events}
        for number, event in enumerate(events, self._count + 1):
            for name, sink in self._sinks:
                if sink.wants(event):
                    self._answers[name].take((number, event))
        self._count += len(events)

    def begin(self, how: Mapping[str, str]) -> None:
        """Begin the readings of the sinks, with how they are configured.

        Raises:
            sqlite3.Error: it could not be kept.
        """
        number = self._deliveries.readings.reserve(self._count)
        shown = {name: answers.stored(number) for name, answers in self._answers.items()}
        self._deliveries.readings.begin(how, number, shown)


def replay_stream(
    state: InitialState, redis_url: str, begin: str, end: str, event_of: Callable[[StreamEntry], PlantEvent | None]
) -> None:
    """Take in what the stream still has up to the entry of the id `end`, without a gap, or one that is not understood.

    Args:
        state: who takes it in.
        redis_url: where the stream is.
        begin: the last one that is not wanted.
        end: the last one that is wanted; `0-0`: none.
        event_of: an entry's event; None of one that is not understood.

    Raises:
        redis.RedisError: Redis is away or hanging; begin anew later.
        sqlite3.Error: see `InitialState.hear`.
    """
    reader = StreamReader(redis_url, PLANT_STREAM, begin, state.forget, lambda _: state.forget())
    try:
        while reader.is_before(end) and (entries := reader.read(wait=False)):
            events: list[PlantEvent] = []
            for entry in entries:
                if order(entry.id) > order(end):
                    break
                event = event_of(entry)
                if event is not None and isinstance(event.data, Restored):
                    if state.is_other(event.data):
                        events.clear()
                elif event is not None:
                    events.append(event)
                elif may_be_state(entry.fields.get(STREAM_FIELD, b"")):
                    events.clear()
                    state.forget()
            state.hear(events)
    finally:
        reader.close()
