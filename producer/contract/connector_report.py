"""How the plant's other systems are told: what a connector reports of its sinks, and how that travels to a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from producer.contract.event import UtcDatetime
from producer.contract.names import Name

CONNECTORS: Final = "connectors"
"""The Redis hash whose fields are the connectors' ids; each has its report under `report_key`. The value is which
answers the connector has missed (`producer.contract.missed_answers`), mostly none."""

REPORT_EVERY: Final = 10.0
"""Seconds between two reports of a connector."""

KEPT_FOR: Final = 60
"""Seconds after which Redis drops a report: one that is still there is of a connector that runs, or did just now."""

_Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Text = Annotated[str, StringConstraints(max_length=500)]


def report_key(connector: str) -> str:
    """The Redis key of the report of the connector with this id."""
    return f"connector:{connector}"


@dataclass(frozen=True)
class SinkState:
    """How a sink is doing, for `connect status`, the metrics and the console. Times are seconds since the epoch.

    Attributes:
        name: its name in the configuration.
        up: whether it took what it was last given, or is connected.
        problem: what was wrong the last time: why it is away, or refuses what waits longest; None where nothing is.
        since: since when it has been up, or has not.
        disabled: whether it said that it wants no more, and nothing is sent until a person says so.
        waiting: events that it is still to be told.
        oldest: when the oldest of those was given by the line; None where none waits.
        given_up: events that were tried for days and refused.
        delivered: events that it took since it was first configured.
        last_at: when it took the last.
    """

    name: Annotated[str, StringConstraints(max_length=64)]
    up: bool
    problem: _Text | None
    since: _Seconds
    disabled: bool
    waiting: _Count
    oldest: _Seconds | None
    given_up: _Count
    delivered: _Count
    last_at: _Seconds | None


class ConnectorReport(BaseModel):
    """What a connector says of its sinks at `written_at`, by its clock, on the computer `host`.

    What a newer connector says beyond that is passed over, so that either side may be upgraded first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    site: Name
    host: Annotated[str, StringConstraints(max_length=255)]
    written_at: UtcDatetime
    sinks: tuple[SinkState, ...]
