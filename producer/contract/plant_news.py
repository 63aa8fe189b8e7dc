"""What the plant's stream says beside the answers of stations: of models, of stations, and of changed inserts."""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import UtcDatetime
from producer.contract.names import Name
from producer.contract.vocabulary import ModelAction, ModelRole


class _News(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1


class ModelChange(_News):
    """That a model was given a role, or the role is empty from now on."""

    kind: Literal["model_change"] = "model_change"
    number: int = Field(description="Rises from each change to the next.")
    role: ModelRole = Field(description="The champion judges; a shadow only judges alongside.")
    model: str | None = Field(default=None, description="The model; absent where the role is empty from now on.")
    action: ModelAction
    at: UtcDatetime
    by: str = Field(description="The person, or the part of the system, that did it.")
    reason: str


class FaultRun(_News):
    """That a station's photographs cannot be judged, one after another; or, with `ended`, that this is over."""

    kind: Literal["fault_run"] = "fault_run"
    station: Name
    since: UtcDatetime = Field(description="The place in the order of its first photograph: the run's identity.")
    ended: bool = Field(description="Whether photographs of the station can be judged again.")
    captures: int | None = Field(default=None, description="How many there were when it was noticed.")
    reason: str | None = Field(default=None, description="Why the last of them could not be judged.")


class InsertChangeAnswer(_News):
    """That an insert was changed, or is not after all; or what became of a change that another system told of."""

    kind: Literal["insert_change"] = "insert_change"
    change_id: UUID
    machine: Name
    head: Name
    pocket: int
    by: str = Field(description="Who said it.")
    via: str = Field(
        description="The system that it came by, as the connector's file names it; empty: it was said at the line."
    )
    at: UtcDatetime | None = Field(
        default=None, description="Its place in the order: the first photograph from then on shows the new insert."
    )
    refused: str | None = Field(default=None, description="Why nothing was written, where nothing was.")
    withdrawn: bool = Field(
        default=False,
        exclude_if=lambda withdrawn: not withdrawn,  # connectors of before do not know it
        description="Whether it is taken back: a change of that pocket with that place in the order is none.",
    )


class Hold(_News):
    """That a head must not be a go by what a check knows of one of its pockets, while no answer of that check says so.

    The check is not answered yet, and its photograph of the pocket failed, is doubted or shows no intact insert; or it
    awaits a pocket that was never seen. Or it is another head's, so that none of its answers is of this one. Or a run
    that began later is a go, and has an older photograph of the pocket than this check, whose answer names it.
    """

    kind: Literal["hold"] = "hold"
    check_id: UUID
    machine: Name
    head: Name
    pocket: int
    at: UtcDatetime = Field(description="Its place in the order: a run that began later has seen the pocket since.")
    revision: int | None = Field(
        default=None,
        description="Of the check: it holds until an answer of the check has a higher one. Absent: no answer ends it.",
    )


Change = ModelChange | FaultRun | InsertChangeAnswer
"""What is said once, when it happens."""

News = Change | Hold
"""What is said on the plant's stream alone."""

PlantAnswer = Annotated[
    VerdictAnswer | FaultAnswer | CheckAnswer | ModelChange | FaultRun | InsertChangeAnswer | Hold,
    Field(discriminator="kind"),
]

PLANT_ANSWERS: Final[
    TypeAdapter[VerdictAnswer | FaultAnswer | CheckAnswer | ModelChange | FaultRun | InsertChangeAnswer | Hold]
] = TypeAdapter(PlantAnswer)
"""Reads an entry of the plant's stream from JSON."""


def may_be_state(text: bytes) -> bool:
    """Whether an answer that is not understood may overtake one that is shown; none of an unknown kind does."""
    try:
        kind = json.loads(text)["kind"]
    except (ValueError, TypeError, KeyError):
        return True
    return kind in ("verdict", "check", "model_change", "fault_run", "insert_change", "hold")
