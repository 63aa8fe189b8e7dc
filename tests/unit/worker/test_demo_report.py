from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from worker.demo_report import CheckRun, summarise


@dataclass
class Row:
    capture_id: str
    outcome: str


def run_of(truth: dict[str, str]) -> CheckRun:
    run = CheckRun("op-1", len(truth))
    for pocket, (capture, label) in enumerate(truth.items(), 1):
        run.take({"event": "submitted", "capture_id": capture, "truth": label, "pocket": pocket}, "intact")
    run.take({"event": "answer", "kind": "verdict", "capture_id": "a"}, "intact")
    seconds = {capture: 0.1 * number for number, capture in enumerate(truth, 1)}
    checked = {"event": "checked", "state": "replace", "replace": [2], "review": [], "seconds": seconds}
    run.take(checked, "intact")
    return run


TRUTH = {"a": "intact", "b": "worn", "c": "broken", "d": "intact"}


def summary(rows: list[Any], verdicts: int | None = None, *, complete: bool = True) -> Any:
    return summarise([run_of(TRUTH)], rows, len(rows) if verdicts is None else verdicts, 1.0, complete=complete)


def rows(**outcomes: str) -> list[Any]:
    return [Row(capture, outcome) for capture, outcome in outcomes.items()]


def test_a_whole_run() -> None:
    figures = summary(rows(a="intact", b="damaged", c="intact", d="intact"))
    assert (figures.captures, figures.verdicts, figures.lost, figures.duplicates) == (4, 4, 0, 0)
    assert figures.accuracy == 0.75
    assert figures.balanced_accuracy == 0.75
    assert figures.p50_ms == pytest.approx(250)
    assert figures.complete


def test_unsure_is_not_right() -> None:
    assert summary(rows(a="unsure", b="damaged", c="damaged", d="intact")).balanced_accuracy == 0.75


def test_a_lost_capture_and_a_second_verdict_are_found() -> None:
    lost = summary(rows(a="intact", b="damaged", c="damaged"))
    assert (lost.lost, lost.complete) == (1, False)
    twice = summary(rows(a="intact", b="damaged", c="damaged", d="intact"), verdicts=5)
    assert (twice.duplicates, twice.complete) == (1, False)
    stranger = summary(rows(a="intact", b="damaged", c="damaged", d="intact", e="intact"))
    assert not stranger.complete


def test_a_run_that_was_stopped_is_not_complete() -> None:
    assert not summary(rows(a="intact", b="damaged", c="damaged", d="intact"), complete=False).complete
    nothing = summarise([], [], 0, 1.0, complete=True)
    assert not nothing.complete
    assert nothing.accuracy is None


def test_what_is_really_damaged_is_told_by_pocket() -> None:
    run = run_of(TRUTH)
    assert run.damaged == [2, 3]
    assert run.answered == {"a"}
