"""Captures with their current verdicts as one row each: the form in which people ask for them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal, NamedTuple, TypedDict
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, literal, literal_column, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from db.line.photographs import key_or_none
from db.schema.tables import Captures, UtcDateTime, Verdicts
from producer.contract.names import IMPORTED

Position = tuple[datetime, UUID]
"""A place in the order of captures (`db.line.capture_order`), then id."""


@dataclass(frozen=True)
class VerdictRow:
    """One capture with its current verdict, for people.

    The verdict's fields are None where the capture is still to be judged; `fault` is then the reason why it could
    not be, if one is open (filled by `db.queries.pocket_history.of_pocket` only). `image` is None where the photograph
    was removed, as old ones are (`db.retention.policy`). `captured_at` is by the station's clock,
    `ordered_at` the place in the order: where they differ by much, that clock was wrong
    (`db.line.capture_order.clock_error`). What begins with `wear_` is in pixels of the photograph
    (`db.line.verdicts.Verdict`).
    """

    capture_id: UUID
    captured_at: datetime
    station: str
    machine: str
    head: str
    pocket: int
    operation: str
    check_id: UUID
    outcome: str | None
    label: str | None
    reason: str | None
    decision: float | None
    probability: float | None
    model_id: str | None
    judged_at: datetime | None
    seconds: float | None
    insert_designation: str | None
    edge: int | None
    operations_on_edge: int | None
    image: str | None
    ordered_at: datetime
    wear_mean: float | None
    wear_p90: float | None
    wear_max: float | None
    wear_length: float | None
    pixels_per_mm: float | None
    fault: str | None = None

    def wear(self) -> Wear | None:
        """The wear land's mean and largest width, in millimetres if the scale is known; None if it was not measured."""
        return Wear.of(self.wear_mean, self.wear_max, self.pixels_per_mm)


class Wear(NamedTuple):
    """How wide a wear land is."""

    mean: float
    largest: float
    unit: Literal["mm", "px"]

    @classmethod
    def of(cls, mean: float | None, largest: float | None, pixels_per_mm: float | None) -> Wear | None:
        """From pixels: in millimetres where the scale is known; None where no land was measured."""
        if mean is None or largest is None:
            return None
        if pixels_per_mm is None:
            return cls(mean, largest, "px")
        return cls(mean / pixels_per_mm, largest / pixels_per_mm, "mm")

    @property
    def digits(self) -> int:
        """How many digits behind the point mean something."""
        return 2 if self.unit == "mm" else 0

    def words(self) -> str:
        """As a person at a terminal reads it."""
        return f"{self.mean:.{self.digits}f} to {self.largest:.{self.digits}f} {self.unit}"


class Filters(TypedDict, total=False):
    """The filters for captures; `since` is inclusive, `until` is not, and both refer to `ordered_at`."""

    station: str | None
    machine: str | None
    head: str | None
    pocket: int | None
    operation: str | None
    outcome: str | None
    since: datetime | None
    until: datetime | None


_VERDICT_FIELDS = {
    *("label", "reason", "decision", "probability", "model_id", "judged_at", "seconds"),
    *("wear_mean", "wear_p90", "wear_max", "wear_length", "pixels_per_mm"),
}
COLUMNS = [
    key_or_none()
    if field.name == "image"
    else getattr(Verdicts if field.name in _VERDICT_FIELDS else Captures, field.name)
    for field in fields(VerdictRow)
    if field.name != "fault"
]
FINDING = Captures.outcome != literal_column("'intact'")
"""What the indexes of findings hold (`db.schema.index_conditions.FINDING`), in words: that is how an engine sees
that they do."""

NEWEST_FIRST = (Captures.ordered_at.desc(), Captures.capture_id.desc())


def current_verdict() -> ColumnElement[bool]:
    """How a verdict in force is joined to its capture."""
    return (Verdicts.capture_id == Captures.capture_id) & Verdicts.current


def on_machine(column: ColumnElement[str] | InstrumentedAttribute[str], machine: str | None) -> ColumnElement[bool]:
    """On that machine; without a name, on any of the line's. Photographs imported from a folder are on none."""
    return column != IMPORTED if machine is None else column == machine


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The `WHERE` of a set of filters; those that are None are no condition.

    Imported captures are on none of the line's machines: only a query for their machine finds them.
    """
    terms = [on_machine(Captures.machine, filters.get("machine"))]
    for name, value in filters.items():
        if value is None or name == "machine":
            continue
        if name == "since":
            terms.append(Captures.ordered_at >= value)
        elif name == "until":
            terms.append(Captures.ordered_at < value)
        else:
            terms.append(getattr(Captures, name) == value)
    if filters.get("outcome") not in (None, "intact"):
        terms.append(FINDING)
    return terms


def older_than(position: Position) -> ColumnElement[bool]:
    """Captures after a position in the order newest first."""
    moment, capture_id = position
    return tuple_(Captures.ordered_at, Captures.capture_id) < tuple_(
        literal(moment, UtcDateTime()), literal(capture_id, Uuid())
    )
