"""Fields of questions and answers that several resources share."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Self
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, StringConstraints

from db.line.rows import VerdictRow
from producer.contract.vocabulary import Label, Outcome

PREFIX: Final = "/api/v1"


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this is before or after all calendars") from None


def _is_written(value: object) -> object:
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value):  # else a bare number would be seconds
        raise ValueError("a moment is written as 2026-11-29T08:00:00+01:00")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_is_written), AfterValidator(_in_utc)]
"""A date and a time with its offset, in ISO 8601."""

FreeText = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00]+$")]
"""What people named, as they like."""

Since = Annotated[Moment | None, Query(description="The earliest moment, which counts.")]
Until = Annotated[Moment | None, Query(description="The moment before which all is to lie.")]


class Verdict(BaseModel):
    """A capture and the verdict on it that is in force; its fields are null where it has not been judged."""

    capture_id: UUID
    captured_at: datetime = Field(description="By the station's clock.")
    ordered_at: datetime = Field(description="Its place in the order; another one where the station's clock was wrong.")
    station: str
    machine: str
    head: str
    pocket: int
    operation: str
    check_id: UUID
    insert_designation: str | None
    edge: int | None
    operations_on_edge: int | None
    outcome: Outcome | None
    label: str | None = Field(description="The finer class, where the model tells one.")
    reason: str | None = Field(description="Why it is not plain, in words.")
    decision: float | None
    probability: float | None = Field(description="That of damage, calibrated.")
    model_id: str | None
    judged_at: datetime | None
    seconds: float | None = Field(description="From receiving the capture to the verdict.")
    wear_mean: float | None = Field(
        description="The mean width of the wear land in pixels of the photograph; null where none was told."
    )
    wear_p90: float | None = Field(description="The width that nine tenths of its length do not exceed.")
    wear_max: float | None = Field(description="The largest width.")
    wear_length: float | None = Field(description="How long it is along the edge.")
    pixels_per_mm: float | None = Field(description="The photograph's scale, where it is declared.")
    photograph: str | None = Field(description="Its address; null where it was removed, as old ones are.")

    @classmethod
    def of(cls, row: VerdictRow) -> Self:
        """As a query gives it."""
        photograph = None if row.image is None else f"{PREFIX}/captures/{row.capture_id}/photograph"
        names = cls.model_fields.keys() - {"photograph"}
        return cls(photograph=photograph, **{name: getattr(row, name) for name in names})


class Capture(Verdict):
    """A capture with all that is known of it."""

    fault: str | None = Field(description="Why it could not be judged, while nobody has settled it.")
    review: Label | None = Field(description="The label of its newest review, which stands above the verdict.")
    insert_changed_at: datetime | None = Field(
        description="When a person last said that the insert was changed before this was taken."
    )
    insert_removed_at: datetime | None = Field(description="When a person said that the insert it shows was changed.")
