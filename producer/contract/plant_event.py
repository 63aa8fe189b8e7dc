"""Plant events: what the line says to other systems, as CloudEvents, and the stream that every answer is written to."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import UtcDatetime
from producer.contract.names import safe_name
from producer.contract.plant_news import FaultRun, Hold, InsertChangeAnswer, ModelChange, News, PlantAnswer, Restored

PLANT_STREAM: Final = "answers"
"""The Redis stream that workers write every answer of the plant to, for those who carry it on to other systems."""

PLANT_LENGTH: Final = 100_000
"""About how many answers that stream keeps, some 450 bytes each: whoever carries them on may be away for so many."""

STATION_FIELD: Final = b"station"
"""The field of an entry beside the answer: the station that the answer is for; empty where it is for none."""

EventKind = Literal["verdict", "fault", "check", "model_change", "fault_run", "insert_change", "hold", "restored"]


class PlantEvent(BaseModel):
    """One answer of the line, for other systems: a CloudEvent (version 1.0, JSON format), the same on every way out.

    An answer that is given twice is one event: its `id` is made of its content, so a receiver that has it may ignore
    it. An answer that a check gets again, after another one, has an id of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(description="The same for an answer that is delivered again.", pattern="^[0-9a-f]{32}$")
    source: str = Field(description="/inserts/SITE/STATION, names in their safe form; /inserts/SITE of no station.")
    type: Literal[
        "inserts.verdict",
        "inserts.fault",
        "inserts.check",
        "inserts.model_change",
        "inserts.fault_run",
        "inserts.insert_change",
        "inserts.hold",
        "inserts.restored",
    ]
    subject: str | None = Field(
        default=None,
        description="MACHINE/HEAD/POCKET, or MACHINE/HEAD of a check; the station of a fault run.",
    )
    time: UtcDatetime = Field(description="When Redis took the answer.")
    datacontenttype: Literal["application/json"] = "application/json"
    data: PlantAnswer

    @property
    def kind(self) -> EventKind:
        """What the event is about."""
        return self.data.kind

    @property
    def machine(self) -> str | None:
        """The milling machine; None of a fault, which does not know it, and of what is of no machine."""
        return None if isinstance(self.data, FaultAnswer | ModelChange | FaultRun | Restored) else self.data.machine

    @property
    def order(self) -> str:
        """What is delivered in order: the events of one head, those of one station, and those of the whole line."""
        if isinstance(self.data, FaultAnswer | ModelChange | FaultRun | Restored):
            return self.source
        return f"{self.data.machine}/{self.data.head}"

    def as_json(self) -> str:
        """The event as it is sent: what has no value is left out."""
        return self.model_dump_json(exclude_none=True)


PLANT_EVENTS: TypeAdapter[PlantEvent] = TypeAdapter(PlantEvent)
"""Reads an event from JSON."""


def plant_event(
    site: str, station: str, answer: VerdictAnswer | FaultAnswer | CheckAnswer | News, at: float
) -> PlantEvent:
    """The event that says `answer`, which was given at the time `at` (seconds since the epoch).

    Args:
        site: the plant's name.
        station: whom it was given to; empty where it is for none.
        answer: what is said.
        at: when.
    """
    of_station = f"/{safe_name(station)}" if station else ""
    return PlantEvent(
        id=hashlib.sha256(station.encode() + b"\0" + _identity(answer).encode()).hexdigest()[:32],
        source=f"/inserts/{safe_name(site)}{of_station}",
        type=f"inserts.{answer.kind}",
        subject=_subject(answer),
        time=datetime.fromtimestamp(at, UTC),
        data=answer,
    )


def _identity(answer: VerdictAnswer | FaultAnswer | CheckAnswer | News) -> str:
    """What makes an answer that is given again the same event: all that it says, but for what may differ by then."""
    if isinstance(answer, VerdictAnswer):  # a later fit says another remaining life
        answer = answer.without_remaining()
    if isinstance(answer, CheckAnswer):  # what it says counts, not which of its revisions says so
        answer = answer.without_order()
    differs = {"captures", "reason"} if isinstance(answer, FaultRun) else None  # a run goes on
    return answer.model_dump_json(exclude_none=True, exclude=differs)


def _subject(answer: VerdictAnswer | FaultAnswer | CheckAnswer | News) -> str | None:
    match answer:
        case VerdictAnswer() | InsertChangeAnswer() | Hold():
            return f"{answer.machine}/{answer.head}/{answer.pocket}"
        case CheckAnswer():
            return f"{answer.machine}/{answer.head}"
        case FaultRun():
            return answer.station
    return None
