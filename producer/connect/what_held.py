"""What held when a delivery log begins: the last answer of each head that the plant's stream still has.

A log that begins knows nothing of what was said before, and a system may show what a former connector told it last. So
the states are put right before the first word: what the stream has is shown (told of it is nobody), and the sinks take
away, or overwrite, what they find of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from producer.connect.configuration import Configured, WebhookSink
from producer.connect.delivery_log import DeliveryLog
from producer.connect.said_checks import SaidCheck
from producer.connect.sinks.last_answers import as_kept, newest
from producer.contract.plant_event import PlantEvent
from producer.delivery.stream_reader import Entry, StreamReader


def take_up(
    reader: StreamReader,
    event_of: Callable[[Entry], PlantEvent | None],
    sinks: Sequence[tuple[str, Configured]],
    deliveries: DeliveryLog,
) -> list[SaidCheck]:
    """Read all that the stream has, and keep the last answers of each sink that shows some; the reader stands behind.

    Args:
        reader: of the plant's stream.
        event_of: an entry's event; None of one that is not understood.
        sinks: the systems of the plant, by their names.
        deliveries: the log, which has begun just now.

    Returns:
        What was last said of each check, to be kept with the reader's position.

    Raises:
        redis.RedisError: Redis is away or hanging; call again later.
        sqlite3.Error: it could not be kept.
    """
    end = reader.newest()
    reader.position = "0-0"
    events: list[PlantEvent] = []
    while end != "0-0" and (entries := reader.read()):
        events += [event for entry in entries if (event := event_of(entry)) is not None]
        if not reader.is_before(end):
            break
    events, said = deliveries.as_said(events)
    first = deliveries.last_number() - len(events)
    for name, sink in sinks:
        if not isinstance(sink, WebhookSink):
            numbered = ((first + number, event) for number, event in enumerate(events) if sink.wants(event))
            deliveries.show(name, {subject: as_kept(answer) for subject, answer in newest(numbered).items()})
    return said
