"""What a sink was told last of each head and pocket, kept in the delivery log for a system that has forgotten it.

Nothing older takes its place, though it be sent again: who reads only what holds now would take it for new.
"""

from __future__ import annotations

from collections.abc import Callable

from producer.connect.delivery_log import Delivery, DeliveryLog
from producer.contract.plant_event import PLANT_EVENTS, PlantEvent


def _head_or_pocket(event: PlantEvent) -> str | None:
    return event.subject if event.is_state else None


class LastAnswers:
    """The last answers of one sink."""

    def __init__(self, log: DeliveryLog, sink: str, subject_of: Callable[[PlantEvent], str | None] = _head_or_pocket):
        """Read those that the log keeps.

        Args:
            log: the connector's.
            sink: whose they are.
            subject_of: what holds of what until the next such answer; None of an answer that holds for no time.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        self._subject_of = subject_of
        numbered = sorted(map(_numbered, log.shown(sink).values()), key=lambda one: one[0])
        last = {subject_of(event): (number, event) for number, event in numbered}
        self.kept: list[tuple[int, PlantEvent]] = [*last.values()]
        """The number of each, which rises from one to the next, and the answer; in the order in which they came."""
        self._numbers = {subject: number for subject, (number, _) in last.items()}

    def is_last(self, delivery: Delivery) -> bool:
        """Whether nothing later has been told of the same; of what holds for no time there is no last."""
        return self._is_last(self._subject_of(delivery.event), delivery.number)

    def remember(self, delivery: Delivery) -> dict[str, str]:
        """Take an answer for the last one, if it is; what `Told.shown` is to keep of it."""
        subject = self._subject_of(delivery.event)
        if subject is None or not self._is_last(subject, delivery.number):
            return {}
        self._numbers[subject] = delivery.number
        return {subject: f"{delivery.number} {delivery.event.as_json()}"}

    def _is_last(self, subject: str | None, number: int) -> bool:
        return subject is not None and number >= self._numbers.get(subject, 0)


def _numbered(text: str) -> tuple[int, PlantEvent]:
    if text.startswith("{"):  # as brokers' were kept before
        return 0, PLANT_EVENTS.validate_json(text)
    number, _, event = text.partition(" ")
    return int(number), PLANT_EVENTS.validate_json(event)
