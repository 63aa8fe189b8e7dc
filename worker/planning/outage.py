"""The backlog after an outage of all workers, or of the database, and how long it takes to catch up with it.

Each capture is in the queue once: a station sends again what later answers have overtaken, and no answers come. Only
what it sent last it sends a few times, to learn whether the line is back (`producer.delivery.resend`). So a backlog is
the captures that came, whoever sent them, and workers take it off with what they carry beyond their load.
`benchmarks/outage_simulation.py` holds that against stations with their real outboxes.
"""

from __future__ import annotations

from dataclasses import dataclass

from producer.delivery.resend import resend_after


@dataclass(frozen=True)
class Outage:
    """The backlog when an outage ends."""

    seconds: float
    waiting: float
    """Captures of each station without an answer, which its outbox holds."""
    queue: float
    """Events of each station in the queue, copies included."""
    caught_up_after: float | None
    """Seconds from the outage's end until captures are judged as they come again; None: never, with these workers."""


def after_outage(seconds: float, per_station: float, utilisation: float, every: float) -> Outage:
    """What an outage of so many `seconds` leaves, while Redis is there and holds it all.

    Args:
        seconds: how long nothing is judged.
        per_station: captures a second of each station.
        utilisation: how busy all workers are otherwise.
        every: seconds between two times that a station hands something in.
    """
    waiting = per_station * seconds
    return Outage(
        seconds=seconds,
        waiting=waiting,
        queue=waiting + copies(min(seconds, every)),
        caught_up_after=seconds * utilisation / (1 - utilisation) if utilisation < 1 else None,
    )


def copies(seconds: float) -> int:
    """How often a station that gets no answer sends its last capture again within `seconds`.

    What it hands in later it does not send again: it would wait four times as long as the oldest has by then, and the
    next comes before.
    """
    number, now = 0, resend_after(0.0)
    while now < seconds:
        number += 1
        now += resend_after(now)
    return number
