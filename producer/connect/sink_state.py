"""How one sink is doing, for who looks after it: `connect status` and the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SinkState:
    """How a sink is doing. Times are seconds since the epoch.

    Attributes:
        name: its name in the configuration.
        up: whether it took what it was last given, or is connected.
        problem: what was wrong the last time, where something was.
        since: since when it has been up, or has not.
        disabled: whether it said that it wants no more, and nothing is sent until a person says so.
        waiting: events that it is still to be told.
        oldest: when the oldest of those was given by the line; None where none waits.
        given_up: events that were tried for days and refused.
        delivered: events that it took since it was first configured.
        last_at: when it took the last.
    """

    name: str
    up: bool
    problem: str | None
    since: float
    disabled: bool
    waiting: int
    oldest: float | None
    given_up: int
    delivered: int
    last_at: float | None
