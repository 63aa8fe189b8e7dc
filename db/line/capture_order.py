"""The order in which photographs were taken, as far as it is known: by the station's clock, corrected by arrival.

A photograph that arrives later was taken later, unless it was overtaken on its way. The station's time (`captured_at`)
is kept as sent, and decides the order as long as it agrees with arrival: then a backlog has the place where it was
taken, not where it arrived. If the two contradict each other, the clock is wrong (decision 15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from db.engine.clock import TICK
from producer.contract.event import are_of_one_outbox, node

TOLERANCE: Final = timedelta(minutes=5)
"""How far a station's clock may be from the order before the difference is reported."""

OVERTAKING: Final = timedelta(minutes=10)
"""The longest time between two messages of which one may overtake the other: a lost message is sent again once a later
one has its answer, and several workers take from one queue."""

OLDEST: Final = timedelta(days=30)
"""If a photograph claims to be older than this when it arrives, its time is not believed: no outbox waits that long."""


@dataclass(frozen=True)
class OrderedPhoto:
    """What decides about the order of a photograph; `captured_at` is by its station's clock, `received_at` by the clock
    of the worker that first had it, `ordered_at` what was decided. `flagged`: it shows an insert to replace or to look
    at, or is not judged yet, and no change of that insert is recorded."""

    capture_id: UUID
    station: str
    captured_at: datetime
    received_at: datetime
    ordered_at: datetime
    flagged: bool = False


def claimed(captured_at: datetime, received_at: datetime) -> datetime:
    """When a photograph was taken, as its station says; of its arrival where that cannot be, as it would lie ahead."""
    return captured_at if received_at - OLDEST <= captured_at <= received_at else received_at


def ordered_at(
    capture_id: UUID,
    station: str,
    captured_at: datetime,
    received_at: datetime,
    newest: OrderedPhoto | None,
    changed_at: datetime | None = None,
    beside: Sequence[OrderedPhoto] = (),
    now: datetime | None = None,
) -> datetime:
    """The place in the order of a photograph that arrives now, given the newest that is known of its pocket.

    `changed_at` is the place of the last change of the pocket's insert (`db.line.insert_changes`). One that lies ahead
    of this arrival was said before it, by a clock that is ahead or was set back: the photograph lies behind it.

    What arrives later is newer than `newest`, whatever the clocks say, unless it was overtaken by it. By the clock of a
    worker that was set back, as on the one computer of a small shop, or is behind another worker's, it arrives before
    it: then the ids of its station say so, or `newest` arrived after `now`, when this one is written; it lies just
    behind `newest`, also where that is in the future. Nor is damage, a doubt, or what is not judged yet, outdated by
    what is said to have been photographed before it, unless that shows damage (`db.line.pockets`); and where the insert
    was changed since `newest`, such a photograph is none of the new insert, nor one that the same station took before
    by its clock and its ids, as a gateway does that sends again what is left in its outbox. Nor is one that its outbox
    took before the change, by what the same outbox took `beside` it, or else by `newest`: something later came before
    the change, or the clock, less what it was ahead then, says so.
    """
    moment = claimed(captured_at, received_at)
    if newest is not None:
        is_ahead = now is not None and newest.received_at > now
        if _overtaken(capture_id, station, captured_at, received_at, newest, is_ahead=is_ahead):
            return min(moment, newest.ordered_at - TICK)
        if _said_to_be_before(capture_id, station, captured_at, received_at, newest):
            if newest.flagged:
                return min(moment, newest.ordered_at - TICK)
            if changed_at is not None and changed_at > newest.ordered_at:
                return newest.ordered_at + TICK
        moment = _by_arrival(capture_id, station, captured_at, received_at, newest, is_ahead=is_ahead)
        if changed_at is not None and newest.ordered_at < changed_at <= min(moment, received_at):
            known = [one for one in beside or (newest,) if _of_one_outbox(capture_id, station, one)]
            if any(_taken_before(changed_at, capture_id, captured_at, one) for one in known):
                return changed_at - TICK
    if changed_at is not None and received_at < changed_at:
        return max(moment, changed_at + TICK)
    return moment


def _by_arrival(
    capture_id: UUID,
    station: str,
    captured_at: datetime,
    received_at: datetime,
    newest: OrderedPhoto,
    *,
    is_ahead: bool,
) -> datetime:
    """The place of a photograph that nothing overtook; `is_ahead`: the newest came by a clock ahead of this one's."""
    moment = claimed(captured_at, received_at)
    if moment > newest.ordered_at:
        return moment
    if received_at < newest.received_at and not (is_ahead or _handed_in_later(capture_id, station, newest)):
        return moment
    if moment == newest.ordered_at == captured_at == newest.captured_at:  # then the ids decide
        return moment
    return max(received_at, newest.ordered_at + TICK)


def clock_error(captured_at: datetime, ordered_at: datetime) -> timedelta | None:
    """How far the station's clock was ahead (below zero: behind) where it was not believed; None where it was."""
    error = captured_at - ordered_at
    return error if abs(error) > TOLERANCE else None


def _overtaken(
    capture_id: UUID,
    station: str,
    captured_at: datetime,
    received_at: datetime,
    newest: OrderedPhoto,
    *,
    is_ahead: bool,
) -> bool:
    """Whether a photograph is older than the newest though it did not arrive before it.

    Its outbox must have said so by its ids, which rise from one photograph to the next also where a clock is set back:
    one that lay lost is sent again once a later one has its answer, or after a night. Ids that do not say of which
    outbox they are need more: the clock agrees, with nothing wrong about what it says, and the two arrived close
    together, by clocks that nothing sets back. They were taken close together too, or both come out of a backlog; a
    photograph from hours ago that follows one of this minute is one of this minute then, by a clock that was set back.
    """
    if not _of_one_outbox(capture_id, station, newest) or capture_id >= newest.capture_id:
        return False
    if None not in (node(capture_id), node(newest.capture_id)):
        return True
    if is_ahead or received_at - newest.received_at > OVERTAKING:
        return False
    if captured_at > newest.captured_at:
        return False
    if not (_credible(captured_at, received_at) and _credible(newest.captured_at, newest.received_at)):
        return False
    late = newest.received_at - newest.captured_at > OVERTAKING
    return late or newest.captured_at - captured_at <= OVERTAKING


def _taken_before(changed_at: datetime, capture_id: UUID, captured_at: datetime, known: OrderedPhoto) -> bool:
    """Whether a photograph was taken before a change, by another one of its outbox."""
    if capture_id < known.capture_id and known.received_at < changed_at:
        return True
    ahead = known.captured_at - known.received_at
    return ahead > TICK and captured_at - ahead < changed_at


def _of_one_outbox(capture_id: UUID, station: str, newest: OrderedPhoto) -> bool:
    """Whether the ids of two photographs tell their order: a second computer may have the name of the first."""
    return station == newest.station and are_of_one_outbox(capture_id, newest.capture_id)


def _handed_in_later(capture_id: UUID, station: str, newest: OrderedPhoto) -> bool:
    """Whether a station handed a photograph in after the newest, by its ids, which no clock sets back."""
    return station == newest.station and capture_id > newest.capture_id


def _said_to_be_before(
    capture_id: UUID, station: str, captured_at: datetime, received_at: datetime, newest: OrderedPhoto
) -> bool:
    """Whether this photograph was taken before the newest by what is said of both, by another outbox or by its id.

    It waited in an outbox, or the clock is behind: the two cannot be distinguished.
    """
    return (
        (not _of_one_outbox(capture_id, station, newest) or capture_id < newest.capture_id)
        and captured_at < newest.captured_at
        and _credible(captured_at, received_at)
        and _credible(newest.captured_at, newest.received_at)
    )


def _credible(captured_at: datetime, received_at: datetime) -> bool:
    return received_at - OLDEST <= captured_at <= received_at + TOLERANCE
