"""Plant events: what the line says to other systems, as CloudEvents, and the stream that every answer is written to."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from producer.contract.answers import ANSWERS, Answer, CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import UtcDatetime
from producer.contract.names import Name, safe_name

PLANT_STREAM: Final = "answers"
"""The Redis stream that workers write every answer of the plant to, for those who carry it on to other systems."""

PLANT_LENGTH: Final = 100_000
"""About how many answers that stream keeps, some 450 bytes each: whoever carries them on may be away for so many."""

STATION_FIELD: Final = b"station"
"""The field of an entry beside the answer: the station that the answer is for."""

Kind = Literal["verdict", "fault", "check"]


class PlantEvent(BaseModel):
    """One answer of the line, for other systems: a CloudEvent (version 1.0, JSON format), the same on every way out.

    An answer that is given twice is one event: `id` is made of what it says, so whoever has had it may pass it over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(description="The same for an answer that is delivered again.", pattern="^[0-9a-f]{32}$")
    source: str = Field(description="/inserts/SITE/STATION, names in their safe form.")
    type: Literal["inserts.verdict", "inserts.fault", "inserts.check"]
    subject: str | None = Field(default=None, description="MACHINE/HEAD/POCKET, or MACHINE/HEAD of a check.")
    time: UtcDatetime = Field(description="When Redis took the answer.")
    datacontenttype: Literal["application/json"] = "application/json"
    data: Answer

    @property
    def kind(self) -> Kind:
        """What the event is about."""
        return self.data.kind

    @property
    def machine(self) -> str | None:
        """The milling machine; None of a fault, which does not know it."""
        return None if isinstance(self.data, FaultAnswer) else self.data.machine

    @property
    def order(self) -> str:
        """What is delivered in order: the events of one head, and the faults of one station."""
        return self.source if isinstance(self.data, FaultAnswer) else f"{self.data.machine}/{self.data.head}"

    def as_json(self) -> str:
        """The event as it is sent: what has no value is left out."""
        return self.model_dump_json(exclude_none=True)


PLANT_EVENTS: TypeAdapter[PlantEvent] = TypeAdapter(PlantEvent)
"""Reads an event from JSON."""


def plant_event(site: Name, station: Name, answer: VerdictAnswer | FaultAnswer | CheckAnswer, at: float) -> PlantEvent:
    """The event that says `answer`, which was given to `station` at the time `at` (seconds since the epoch)."""
    # What a later fit says of the remaining life makes no other event of an answer that is given again.
    same = answer.without_remaining() if isinstance(answer, VerdictAnswer) else answer
    text = ANSWERS.dump_json(same, exclude_none=True)
    subject = None
    if isinstance(answer, VerdictAnswer):
        subject = f"{answer.machine}/{answer.head}/{answer.pocket}"
    elif isinstance(answer, CheckAnswer):
        subject = f"{answer.machine}/{answer.head}"
    return PlantEvent(
        id=hashlib.sha256(station.encode() + b"\0" + text).hexdigest()[:32],
        source=f"/inserts/{safe_name(site)}/{safe_name(station)}",
        type=f"inserts.{answer.kind}",
        subject=subject,
        time=datetime.fromtimestamp(at, UTC),
        data=answer,
    )
