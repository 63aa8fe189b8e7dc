"""The way back: what a worker tells a station, as JSON on the station's own Redis stream."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import UUID7, BaseModel, ConfigDict, Field, TypeAdapter

from producer.event import Name, UtcDatetime

STREAM_FIELD: Final = b"answer"
"""The one field of every stream entry; its value is the answer as JSON."""

STREAM_LENGTH: Final = 10_000
"""About how many answers a station's stream keeps; older ones are trimmed."""

STREAM_SECONDS: Final = 7 * 24 * 3600
"""How long a stream is kept after its last answer, so that none stays for stations that are gone or never were. A
station that comes back later sends again what is not answered, and is told again."""

Outcome = Literal["intact", "damaged", "unsure", "unusable"]
CheckState = Literal["go", "replace", "review"]


def stream_of(station: str) -> str:
    """The name of a station's stream of answers."""
    return f"verdicts:{station}"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1


class VerdictAnswer(_Answer):
    """The current verdict on one capture."""

    kind: Literal["verdict"] = "verdict"
    capture_id: UUID7
    check_id: UUID7
    machine: Name
    head: Name
    pocket: int
    outcome: Outcome
    label: str | None = Field(default=None, description="The finer label, 'worn' or 'broken', where there is one.")
    reason: str | None = Field(default=None, description="Why, for 'unsure' and 'unusable'.")
    decision: float | None = Field(default=None, description="The classifier's decision value; above 0 is damaged.")
    model: str | None = Field(default=None, description="The model that judged, absent while there is none.")
    judged_at: UtcDatetime


class FaultAnswer(_Answer):
    """A capture that cannot be judged, and why; a person has to act."""

    kind: Literal["fault"] = "fault"
    capture_id: UUID7 | None = None
    check_id: UUID7 | None = None
    pocket: int | None = None
    reason: str
    at: UtcDatetime


class CheckAnswer(_Answer):
    """A finished check: every insert of the head has its verdict or fault."""

    kind: Literal["check"] = "check"
    check_id: UUID7
    machine: Name
    head: Name
    operation: Name
    size: int
    state: CheckState
    replace: list[int] = Field(default_factory=list, description="Pockets whose insert is damaged.")
    review: list[int] = Field(default_factory=list, description="Pockets that a person must look at.")
    missing: list[int] = Field(
        default_factory=list, description="Pockets that were never photographed; they stand in 'review' too."
    )


Answer = Annotated[VerdictAnswer | FaultAnswer | CheckAnswer, Field(discriminator="kind")]

ANSWERS: TypeAdapter[VerdictAnswer | FaultAnswer | CheckAnswer] = TypeAdapter(Answer)
"""Reads an answer from JSON and describes all three as one JSON Schema."""
