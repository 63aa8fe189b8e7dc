from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from worker.demo.report import CheckRun, show, summarise


@dataclass
class Row:
    capture_id: str
    outcome: str


def run_of(truth: dict[str, str]) -> CheckRun:
    run = CheckRun("op-1", len(truth))
    for pocket, (capture, label) in enumerate(truth.items(), 1):
        run.take({"event": "submitted", "capture_id": capture, "truth": label, "pocket": pocket})
    run.take({"event": "answer", "kind": "verdict", "capture_id": "a"})
    seconds = {capture: 0.1 * number for number, capture in enumerate(truth, 1)}
    checked = {"event": "checked", "state": "replace", "replace": [2], "review": [], "seconds": seconds}
    run.take(checked)
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


def test_unsure_answers_are_counted_as_such_and_the_accuracy_is_of_the_others() -> None:
    figures = summary(rows(a="unsure", b="damaged", c="intact", d="damaged"))
    assert (figures.unsure, figures.missed, figures.needless) == (1, 1, 1)
    assert figures.accuracy == pytest.approx(1 / 3, abs=1e-4)
    assert figures.balanced_accuracy == 0.25
    nothing = summary(rows(a="unsure", b="unsure", c="unsure", d="unsure"))
    assert (nothing.unsure, nothing.accuracy, nothing.complete) == (4, None, True)


def test_the_table_tells_what_to_change_from_what_to_look_at(tmp_path: Path) -> None:
    run = run_of(TRUTH)
    run.review = [3]
    console = Console(file=io.StringIO(), width=140)
    show(console, summary(rows(a="intact", b="damaged", c="unsure", d="intact")), [run], tmp_path)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "unsure: look at" in told
    row = next(line for line in told.splitlines() if "op-1" in line)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["op-1", "REPLACE", "2", "3", "2, 3", "–", "–"]
    assert "3 of 4 decided, 1 unsure (a person looks)" in told


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
