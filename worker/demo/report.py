"""The demo's report: each check's answer beside the truth, and the figures of the whole run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from db.line.rows import VerdictRow
from producer.terminal.console import TerminalConsole, line
from producer.terminal.counts import counted
from producer.terminal.programs import as_typed
from worker.demo.data import HEAD
from worker.models.line_model import DAMAGED, INTACT

_COLOURS = {"go": "green", "replace": "red"}


@dataclass
class CheckRun:
    """One check, by the events of the simulated station."""

    operation: str
    size: int
    truth: dict[str, bool] = field(default_factory=dict)
    """Whether each capture's insert is really damaged."""
    pockets: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    state: str = "pending"
    replace: list[int] = field(default_factory=list)
    review: list[int] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """Submit to answer seen by the station, for each capture."""

    def take(self, event: dict[str, Any]) -> None:
        """Note one event of the simulated station."""
        if event["event"] == "submitted":
            self.truth[event["capture_id"]] = event["truth"] != INTACT
            self.pockets[event["capture_id"]] = event["pocket"]
        elif event["event"] == "answer" and event.get("capture_id") in self.truth:
            self.answered.add(event["capture_id"])
        elif event["event"] == "checked":
            self.state, self.replace, self.review = event["state"], event["replace"], event["review"]
            self.seconds = event["seconds"]

    @property
    def damaged(self) -> list[int]:
        """The pockets whose insert is really damaged."""
        return sorted(self.pockets[capture] for capture, damaged in self.truth.items() if damaged)


@dataclass(frozen=True)
class Summary:
    """The figures of a run. `lost` are captures without a verdict, `duplicates` verdicts beyond one for each.

    `unsure` are those that the model left to a person; accuracy and balanced accuracy are of the others. `missed`
    are damaged inserts called intact, `needless` intact ones called damaged.
    """

    captures: int
    verdicts: int
    lost: int
    duplicates: int
    unsure: int
    missed: int
    needless: int
    accuracy: float | None
    balanced_accuracy: float | None
    seconds: float
    p50_ms: float | None
    p95_ms: float | None
    complete: bool
    """Whether the run came to its end and every capture has exactly one verdict."""
    stopped: bool
    """Whether it was stopped before its end."""

    def as_json(self) -> dict[str, Any]:
        """The figures, without `complete` and `stopped`, which are the exit code."""
        return {name: value for name, value in asdict(self).items() if name not in ("complete", "stopped")}


def summarise(
    runs: Sequence[CheckRun], rows: Iterable[VerdictRow], verdicts: int, seconds: float, *, complete: bool
) -> Summary:
    """Compare what the station submitted with what the database holds.

    Args:
        runs: the station's side.
        rows: the current verdict of each capture in the database.
        verdicts: how many verdicts the database holds, current or not.
        seconds: how long the whole run took.
        complete: whether the run came to its end.
    """
    truth = {capture: damaged for run in runs for capture, damaged in run.truth.items()}
    outcome = {str(row.capture_id): row.outcome for row in rows}
    lost = len(truth.keys() - outcome.keys())
    duplicates = verdicts - len(outcome)
    decided = {capture: outcome[capture] for capture in truth if outcome.get(capture) in (INTACT, DAMAGED)}
    right = {
        damaged: [verdict == name for capture, verdict in decided.items() if truth[capture] is damaged]
        for damaged, name in ((False, INTACT), (True, DAMAGED))
    }
    recalls = [float(np.mean(hits)) for hits in right.values() if hits]
    latencies = [second * 1000 for run in runs for second in run.seconds.values()]
    return Summary(
        captures=len(truth),
        verdicts=verdicts,
        lost=lost,
        duplicates=duplicates,
        unsure=len(truth.keys() & outcome.keys()) - len(decided),
        missed=right[True].count(False),
        needless=right[False].count(False),
        accuracy=round(float(np.mean(right[False] + right[True])), 4) if decided else None,
        balanced_accuracy=round(float(np.mean(recalls)), 4) if recalls else None,
        seconds=round(seconds, 2),
        p50_ms=round(float(np.percentile(latencies, 50)), 1) if latencies else None,
        p95_ms=round(float(np.percentile(latencies, 95)), 1) if latencies else None,
        complete=complete and bool(truth) and lost == 0 and duplicates == 0 and len(outcome) == len(truth),
        stopped=not complete,
    )


def show(console: TerminalConsole, summary: Summary, runs: Sequence[CheckRun], data: Path) -> None:
    """Print each check's answer beside the truth, the figures, and where to look next."""
    table = Table("after", "answer", "replace", "unsure: look at", "really damaged", "missed", "needless", title=None)
    for run in runs:
        replace, damaged = set(run.replace), set(run.damaged)
        table.add_row(
            run.operation,
            _answer(run.state),
            _listed(replace),
            _listed(run.review),
            _listed(damaged),
            _listed(damaged - replace - set(run.review)),
            _listed(replace - damaged),
        )
    if runs:
        console.print(table)
    line(
        console,
        f"{counted(summary.captures, 'capture')}, {counted(summary.verdicts, 'verdict')}, {summary.lost} lost, "
        f"{counted(summary.duplicates, 'duplicate')}; {summary.seconds:.0f} s in all, with building and training",
    )
    if summary.captures:
        line(console, _decided(summary))
    if summary.p50_ms is not None:
        line(
            console,
            f"submit to verdict, a whole head handed in at once: median {summary.p50_ms:.0f} ms, "
            f"95th percentile {summary.p95_ms:.0f} ms",
        )
    line(console, ("look next at", "bold"))
    folder = shlex.quote(str(data))
    insert_db = f"{as_typed('insert-db')} --data {folder}"
    worker = as_typed("insert-worker")
    check = f"{as_typed('insert-station')} --data {folder} check {shlex.quote(str(data / HEAD))}"
    steps = (
        (f"{insert_db} console", "all of it in a browser"),
        (f"{insert_db} replace", "which inserts to change now"),
        (f"{insert_db} life", "how long the inserts in use last"),
        (f"{insert_db} checks", "the checks and their answers"),
        (f"{insert_db} verdicts", "every verdict, with its probability of damage"),
        (f"{insert_db} review", "label what it was unsure of; the next model learns from it"),
        (f"{data}/images", "the photographs, the truth beside each"),
        (f"{data}/logs", "what each process said"),
    )
    width = max(len(where) for where, _ in steps)
    for where, what in steps:
        line(console, f"  {where:<{width}}  {what}")
    if not runs:
        return
    line(console, ("check the last head yourself", "bold"), ": start the line, and in another terminal check")
    line(console, f"  {worker} standalone --data {folder}")
    # Of the operation that they are of: as those of another one they would be refused.
    line(console, f"  {check} --machine sim-mill --head sim-head --operation {runs[-1].operation}")


def _answer(state: str) -> Text:
    return Text(state.upper() if state in _COLOURS else state, _COLOURS.get(state, "yellow"))


def _decided(summary: Summary) -> str:
    """How many answers the model gave by itself, and how good those were."""
    judged = summary.captures - summary.lost
    if summary.accuracy is None:
        return f"it was unsure of all {judged}: a person looks"
    return (
        f"{judged - summary.unsure} of {judged} decided, {summary.unsure} unsure (a person looks); of the decided "
        f"{summary.missed} damaged missed and {summary.needless} changed needlessly: accuracy {summary.accuracy:.3f}, "
        f"balanced {summary.balanced_accuracy:.3f}"
    )


def _listed(pockets: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(pockets))) or "–"
