"""A capture of a made-up plant, and the rows that the line writes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

MODEL = "history-model"
"""The one model; it was put in charge before the first capture."""


class JudgedCapture(NamedTuple):
    """One capture and what was decided about it; ids and times are text as both databases take it."""

    capture_id: str
    captured_at: str
    station: str
    machine: str
    head: str
    pocket: int
    operation: str
    check_id: str
    check_size: int
    image: str
    image_sha256: str
    insert_designation: str
    edge: int
    operations_on_edge: int
    received_at: str
    outcome: str
    decision: float | None
    reason: str | None
    judged_at: str
    check_began: str


_OF_CAPTURE = JudgedCapture._fields.index("outcome") + 1
CAPTURE_COLUMNS = (*JudgedCapture._fields[:_OF_CAPTURE], "attempts", "ordered_at")
VERDICT_COLUMNS = ("capture_id", "model_id", "outcome", "decision", "reason", "judged_at", "current", "seconds")
CHECK_COLUMNS = ("check_id", "station", "machine", "head", "operation", "size", "started_at")
POCKET_COLUMNS = ("machine", "head", "pocket", "captured_at", "capture_id", "damaged")

Rows = tuple[str, Sequence[str], list[tuple[Any, ...]]]
"""Rows of one table: its name, its columns, and their values."""


def check_row(capture: JudgedCapture) -> tuple[Any, ...]:
    """The values of `CHECK_COLUMNS`, of the check that begins with this capture."""
    place = capture.station, capture.machine, capture.head, capture.operation
    return capture.check_id, *place, capture.check_size, capture.check_began


def capture_row(capture: JudgedCapture) -> tuple[Any, ...]:
    """The values of `CAPTURE_COLUMNS`."""
    return *capture[:_OF_CAPTURE], 1, capture.captured_at


def verdict_row(capture: JudgedCapture, model_id: str | None = MODEL, current: bool = True) -> tuple[Any, ...]:
    """The values of `VERDICT_COLUMNS`."""
    return (
        capture.capture_id,
        model_id,
        capture.outcome,
        capture.decision,
        capture.reason,
        capture.judged_at,
        current,
        0.4,
    )


def judged(block: Sequence[JudgedCapture]) -> Iterable[Rows]:
    """What the line writes of captures, all judged by the one model, and nobody looked at."""
    yield "captures", CAPTURE_COLUMNS, [capture_row(capture) for capture in block]
    yield "verdicts", VERDICT_COLUMNS, [verdict_row(capture) for capture in block]
