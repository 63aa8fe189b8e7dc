"""The backlog after an outage of all workers, or of the database, and how long it takes to catch up with it.

Stations resend what is not answered, with back-off, and the queue keeps each copy. The first copy of a capture that a
worker takes is judged; each later one still costs a read of image and database. So a long backlog makes more work, and
workers that carry their load well may never catch up with a long outage. The model is a fluid queue, its copies in the
order in which they were sent.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, count, takewhile
from typing import Final

from producer.delivery.resend import resend_after

STEPS: Final = 1000
"""Parts that the outage is divided into."""

GIVE_UP_AFTER: Final = 50
"""Lengths of the outage after which a backlog that is still there is taken to stay for ever."""


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


def after_outage(seconds: float, per_station: float, utilisation: float, repeat: float) -> Outage:
    """What an outage of so many `seconds` leaves, while Redis is there and holds it all.

    Args:
        seconds: how long nothing is judged.
        per_station: captures a second of each station.
        utilisation: how busy all workers are otherwise.
        repeat: what a copy of a capture that is judged already costs a worker, over judging one.
    """
    moments = sendings(seconds)
    copies = sum(seconds - moment for moment in moments)
    return Outage(
        seconds=seconds,
        waiting=per_station * seconds,
        queue=per_station * copies,
        caught_up_after=caught_up_after(seconds, utilisation, repeat),
    )


def sendings(seconds: float) -> list[float]:
    """When a capture is sent that gets no answer within `seconds`, in seconds since it was handed in."""
    later = accumulate(resend_after(attempts) for attempts in count(1))
    return [0.0, *takewhile(lambda moment: moment < seconds, later)]


def caught_up_after(seconds: float, utilisation: float, repeat: float) -> float | None:
    """Seconds from the end of an outage until the backlog is gone; None where it never is. See `after_outage`.

    What was sent in a second takes the workers `utilisation · (1 + repeat · n)` seconds, `n` being the repeats that
    each capture still without an answer had had by then: as many as its station sends within the time that the workers
    were behind.
    """
    if utilisation >= 1:
        return None
    if seconds == 0:
        return 0.0
    step = seconds / STEPS
    moments = sendings(GIVE_UP_AFTER * seconds)[1:]
    # How far behind the workers were at each step, from the outage's beginning; they catch up along it.
    behind = [number * step for number in range(STEPS + 1)]
    now, done = seconds, 0.0
    while done < now:
        if now > GIVE_UP_AFTER * seconds:
            return None
        repeats = bisect_left(moments, behind[int(done / step)])
        done += step / (utilisation * (1 + repeat * repeats))
        now += step
        behind.append(max(0.0, now - done))
    return now - seconds


def workers_to_catch_up(seconds: float, work: float, repeat: float) -> float:
    """How many workers keep pace after an outage, with all copies; `work` is how many are busy otherwise.

    More than that many catch up.
    """
    return work * (1 + repeat * (len(sendings(seconds)) - 1))
