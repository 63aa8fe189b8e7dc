"""Whether the line ever saw what a query names: an empty answer for a mistyped machine must not look like good news."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Exists, exists, or_, select
from sqlalchemy.orm import Session

from db.schema.tables import Captures, Faults, StationDays
from producer.contract.names import MAX_NAME_LENGTH
from producer.contract.reasons import refusals as why
from producer.contract.reasons.template import Reason


class NothingKnown(ValueError):
    """The line never saw the machine, head, pocket or station that a question names."""


def refuse_unknown(
    session: Session,
    machine: str | None = None,
    head: str | None = None,
    pocket: int | None = None,
    *,
    station: str | None = None,
) -> None:
    """Refuse an empty answer about something that the line never saw; call it if nothing was found.

    Raises:
        NothingKnown: as `unknown` says.
    """
    reason = unknown(session, machine, head, pocket, station=station)
    if reason is not None:
        raise NothingKnown(reason)


def unknown(
    session: Session,
    machine: str | None = None,
    head: str | None = None,
    pocket: int | None = None,
    *,
    station: str | None = None,
) -> Reason | None:
    """The filter values that the line never saw; None if it knows each, or if there is no filter.

    A machine and a head are looked for together, a pocket only with both of them: each is one look into an index.
    """
    if station is not None and not _is_true(session, _of_station(station)):
        return why.UNKNOWN_STATION(station=_as_name(station))
    place: list[ColumnElement[bool]] = []
    if machine is not None:
        place.append(Captures.machine == machine)
    if head is not None:
        place.append(Captures.head == head)
    if not place:
        return None
    if not _is_true(session, exists().where(*place)):
        return _of_place(machine, head)
    if machine is None or head is None or pocket is None:
        return None
    if _is_true(session, exists().where(*place, Captures.pocket == pocket)):
        return None
    return why.UNKNOWN_POCKET(machine=_as_name(machine), head=_as_name(head), pocket=pocket)


def _of_place(machine: str | None, head: str | None) -> Reason:
    if head is None:
        return why.UNKNOWN_MACHINE(machine=_as_name(machine))
    if machine is None:
        return why.UNKNOWN_HEAD(head=_as_name(head))
    return why.UNKNOWN_HEAD_OF_MACHINE(machine=_as_name(machine), head=_as_name(head))


def _as_name(typed: str | None) -> str:
    """What a person typed, cut to the length of a name."""
    text = typed or ""
    return text if len(text) <= MAX_NAME_LENGTH else f"{text[: MAX_NAME_LENGTH - 1]}…"


def _of_station(station: str) -> ColumnElement[bool]:
    # One may be known by faults alone, whose events could not be read, or by its days, whose photographs were pruned.
    return or_(*(exists().where(table.station == station) for table in (Captures, Faults, StationDays)))


def _is_true(session: Session, condition: ColumnElement[bool] | Exists) -> bool:
    return bool(session.scalar(select(condition)))
