"""What the plant's stream says beside stations' answers: of models, stations, changed inserts and restored backups."""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal, Self
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


class Restored(_News):
    """That the line's database is a backup's from now on: whatever was said before this, nobody knows whether it holds.

    What was judged after the backup is lost, damage too. So no head is a go by what was said before, in whatever order
    its numbers put that.
    """

    kind: Literal["restored"] = "restored"
    restore_id: UUID
    at: UtcDatetime = Field(description="When, by the clock of the database.")
    made_at: UtcDatetime = Field(description="When the backup was made, by the clock of then.")

    @classmethod
    def read(cls, text: bytes) -> Self | None:
        """The one that an entry says; None if that says something else."""
        if b'"restored"' not in text:
            return None
        try:
            return cls.model_validate_json(text)
        except ValueError:
            return None


Change = Restored | ModelChange | FaultRun | InsertChangeAnswer
"""What is said once, when it happens."""

News = Change | Hold
"""What is said on the plant's stream alone."""

AnyAnswer = VerdictAnswer | FaultAnswer | CheckAnswer | News

PlantAnswer = Annotated[AnyAnswer, Field(discriminator="kind")]

PLANT_ANSWERS: Final[TypeAdapter[AnyAnswer]] = TypeAdapter(PlantAnswer)
"""Reads an entry of the plant's stream from JSON."""


def may_be_state(text: bytes) -> bool:
    """Whether an answer that is not understood may overtake one that is shown; none of an unknown kind does."""
    try:
        kind = json.loads(text)["kind"]
    except (ValueError, TypeError, KeyError):
        return True
    return kind in ("verdict", "check", "model_change", "fault_run", "insert_change", "hold", "restored")
