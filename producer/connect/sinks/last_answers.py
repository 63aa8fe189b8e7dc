"""What a sink was told last of each head and pocket, kept in the delivery log for a system that has forgotten it.

Nothing older takes its place, though it be sent again: who reads only what holds now would take it for new.
"""

from __future__ import annotations

from producer.connect.delivery_log import Delivery, DeliveryLog
from producer.contract.plant_event import PLANT_EVENTS, PlantEvent


class LastAnswers:
    """The last answers of one sink."""

    def __init__(self, log: DeliveryLog, sink: str):
        """Read those that the log keeps.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        numbered = sorted(map(_numbered, log.shown(sink).values()), key=lambda one: one[0])
        self.kept: list[tuple[int, PlantEvent]] = list(
            {event.subject: (number, event) for number, event in numbered}.values()
        )
        """The number of each, which rises from one to the next, and the answer; in the order in which they came."""
        self._numbers = {event.subject: number for number, event in self.kept}

    def is_last(self, delivery: Delivery) -> bool:
        """Whether nothing later has been told of its head or pocket; of what holds for no time there is no last."""
        return delivery.event.is_state and delivery.number >= self._numbers.get(delivery.event.subject or "", 0)

    def remember(self, delivery: Delivery) -> dict[str, str]:
        """Take an answer for the last one, if it is; what `Told.shown` is to keep of it."""
        subject = delivery.event.subject
        if subject is None or not self.is_last(delivery):
            return {}
        self._numbers[subject] = delivery.number
        return {subject: f"{delivery.number} {delivery.event.as_json()}"}


def _numbered(text: str) -> tuple[int, PlantEvent]:
    if text.startswith("{"):  # as brokers' were kept before
        return 0, PLANT_EVENTS.validate_json(text)
    number, _, event = text.partition(" ")
    return int(number), PLANT_EVENTS.validate_json(event)
