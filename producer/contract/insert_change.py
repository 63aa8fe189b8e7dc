"""Insert changes that other systems tell: the command, and how it travels from the connector to a worker."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from producer.contract.event import UtcDatetime
from producer.contract.names import MachineName, Name

INSERT_CHANGES: Final = "insert-changes"
"""The Redis hash in which changes wait for a worker: `KeptChange` as JSON by `change_id`, so that one that is sent
again is there once."""


_PERSON: Final = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
"""No control character, and not blanks alone: a database cannot hold each of them (PostgreSQL no NUL)."""


class InsertChange(BaseModel):
    """That the insert of a pocket was changed: what a PLC or another system sends as a command."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Literal[1] = 1
    change_id: UUID = Field(description="Made by who sends it, and the same when it is sent again: it counts once.")
    machine: MachineName
    head: Name
    pocket: int = Field(ge=1, le=999, description="The pocket whose insert was changed.")
    by: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_PERSON)] = Field(
        description="Who changed it, or says so."
    )
    first: UUID | None = Field(
        default=None, description="The capture that shows the new insert first; without it none did when it was sent."
    )


class KeptChange(BaseModel):
    """A command as the connector has kept it: `said_at` is when, by its clock, and `via` the system that it came by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    change: InsertChange
    said_at: UtcDatetime
    via: str
