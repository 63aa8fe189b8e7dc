"""What a reading begins with: the last answer of each head that the plant's stream still has.

Of a sink that is new in the log, and of all with a new log, nothing is known of what was said before, and a system may
show what it was told last by a former connector. So the states are put right before the first word: what the stream has
is shown (told of it is nobody), and the sinks take away, or overwrite, what they find of which nothing is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from producer.connect.configuration import Configured, WebhookSink
from producer.connect.delivery_log import DeliveryLog
from producer.connect.sinks.last_answers import as_stored
from producer.contract.answers import STREAM_FIELD
from producer.contract.plant_event import PLANT_STREAM, PlantEvent
from producer.contract.plant_news import may_be_state
from producer.delivery.stream_reader import Entry, StreamReader, order

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


def to_read_for(sinks: Iterable[tuple[str, Configured]], site: str) -> dict[str, str]:
    """How each sink is configured that shows something: which system it is, and which answers it is to have."""
    return {
        name: json.dumps([site, sink.model_dump(mode="json", exclude=_HOW_IT_LETS_US_IN)], sort_keys=True)
        for name, sink in sinks
        if not isinstance(sink, WebhookSink)
    }


def what_was_said(
    redis_url: str, begin: str, end: str, event_of: Callable[[Entry], PlantEvent | None]
) -> list[PlantEvent]:
    """What the stream still has up to the entry of the id `end`, without a gap, or one that is not understood.

    Args:
        redis_url: where the stream is.
        begin: the last one that is not wanted.
        end: the last one that is wanted; `0-0`: none.
        event_of: an entry's event; None of one that is not understood.

    Raises:
        redis.RedisError: Redis is away or hanging; call again later.
    """
    events: list[PlantEvent] = []
    reader = StreamReader(redis_url, PLANT_STREAM, begin, events.clear, lambda _: events.clear())
    try:
        while reader.is_before(end) and (entries := reader.read(wait=False)):
            wanted = (entry for entry in entries if order(entry.id) <= order(end))
            for entry in wanted:
                if (event := event_of(entry)) is not None:
                    events.append(event)
                elif may_be_state(entry.fields.get(STREAM_FIELD, b"")):
                    events.clear()
    finally:
        reader.close()
    return events


def begin_readings(
    deliveries: DeliveryLog, sinks: Sequence[tuple[str, Configured]], how: dict[str, str], events: Sequence[PlantEvent]
) -> None:
    """Begin the readings of some sinks.

    Args:
        deliveries: the log.
        sinks: all of the file.
        how: how those are configured whose readings begin.
        events: what the stream has, as it was said.

    Raises:
        sqlite3.Error: it could not be kept.
    """
    number = deliveries.readings.reserve(len(events))
    numbered = [*enumerate(events, number + 1)]
    shown = {
        name: as_stored((one for one in numbered if sink.wants(one[1])), deliveries.sizes.of)
        for name, sink in sinks
        if name in how
    }
    deliveries.readings.begin(how, number, shown)
