"""How a connector has a worker send missed answers again, on the plant's stream: those that Redis may have lost.

The connector writes the request beside its id in the hash of connectors. A worker sends what the database has since
then, each answer as it was, so that it is the same event with the same id, and then that this was all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

_TEXT: Final = re.compile(r"([0-9a-f]{32}) (\d{1,10})", re.ASCII)


@dataclass(frozen=True)
class MissedAnswersRequest:
    """What is asked for: all answers since a second of the epoch.

    It is by the clock of Redis, or by the connector's where the stream's ids are ahead of that.
    """

    request: str
    since: int

    @classmethod
    def new(cls, since: float) -> Self:
        """Another one than all before."""
        return cls(uuid4().hex, int(since))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The one that was written as `text`; None if that is none."""
        match = _TEXT.fullmatch(text)
        return None if match is None else cls(match[1], int(match[2]))

    @property
    def moment(self) -> datetime:
        """Since when."""
        return datetime.fromtimestamp(self.since, UTC)

    def __str__(self) -> str:
        return f"{self.request} {self.since}"


class MissedAnswersEnd(BaseModel):
    """The entry behind the last missed answer: no event, but the connector's word that nothing is missing any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["said_again"] = "said_again"
    request: str
    complete: bool
    """False if they cannot be sent again: they are too many, or clocks differ."""

    @classmethod
    def read(cls, text: bytes) -> Self | None:
        """The one in an entry's answer; None if that is another answer."""
        if b'"said_again"' not in text:
            return None
        try:
            return cls.model_validate_json(text)
        except ValueError:
            return None
