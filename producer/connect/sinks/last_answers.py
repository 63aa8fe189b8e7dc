"""What a sink was told last of each head and pocket, kept in the delivery log for a system that has forgotten it."""

from __future__ import annotations

from producer.connect.delivery_log import Delivery, DeliveryLog
from producer.contract.plant_event import PLANT_EVENTS, PlantEvent


def remembered(delivery: Delivery) -> dict[str, str]:
    """What `Told.shown` keeps of an answer, by whose last one it is; of faults nothing is kept."""
    subject = delivery.event.subject
    return {} if subject is None else {subject: f"{delivery.number} {delivery.event.as_json()}"}


def last_answers(log: DeliveryLog, sink: str) -> list[tuple[int, PlantEvent]]:
    """The number of each, which rises from one to the next, and the answer; in the order in which they came."""
    kept = [text.partition(" ") for text in log.shown(sink).values()]
    return sorted(
        ((int(number), PLANT_EVENTS.validate_json(event)) for number, _, event in kept), key=lambda one: one[0]
    )
