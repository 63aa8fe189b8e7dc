"""Answers as tables for a terminal; times are those of this computer's time zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from db.engine.times import local
from db.learning.model_registry import Model, Promotion
from db.learning.reviews import Review
from db.line.capture_order import clock_error
from db.line.checks import Check
from db.line.faults import Fault
from db.line.insert_changes import InsertChange
from db.line.rows import VerdictRow
from db.line.shadow_verdicts import OutcomePair, Tally
from db.queries.pocket_history import PocketRow
from db.queries.review_queue import ToReview
from db.terminal.narrow_table import UNKNOWN, NarrowTable
from producer.contract.vocabulary import DAMAGE_KINDS
from producer.terminal.output import visible

STYLES: Final[dict[str, str]] = {
    "intact": "green",
    "go": "green",
    "damaged": "bold red",
    **dict.fromkeys(DAMAGE_KINDS, "bold red"),
    "replace": "bold red",
    "unsure": "yellow",
    "unusable": "magenta",
    "review": "yellow",
    "pending": "dim",
    "fault": "magenta",
}
"""How an outcome, a kind of damage or a check's state looks."""

JUDGED: Final = ("decision", "damage")
"""The headings of a model's decision value, and of the probability of damage that follows from it, in per cent."""

_NUMBERS: Final = frozenset(
    {
        *JUDGED,
        "photographs",
        "pocket",
        "edge",
        "on edge",
        "times",
        "judged",
        "trained on",
        "captures",
        *("right", "wrong", "undecided"),
        "done",
        "damaged",
        *("cost now", "cost later"),
    }
)

Shown = str | int | float | datetime | None


def text(value: Shown) -> Text:
    """A value as text that cannot do anything else to a terminal: what does not print is written out."""
    if value is None:
        return Text(UNKNOWN, style="dim")
    if isinstance(value, datetime):
        return Text(local(value))
    if isinstance(value, float):
        return Text(f"{value:.3g}")
    safe = visible(str(value))
    return Text(safe, style=STYLES.get(safe, ""))


def verdict_table(rows: Sequence[VerdictRow]) -> Table:
    """Captures with their verdicts."""
    return table(
        ["captured", "machine", "head", "pocket", "operation", "outcome", "label", *JUDGED, "model", "reason"],
        (
            [
                _captured(row),
                row.machine,
                row.head,
                row.pocket,
                row.operation,
                _outcome(row),
                row.label,
                row.decision,
                _chance(row),
                row.model_id,
                row.reason if row.outcome else row.fault,
            ]
            for row in rows
        ),
    )


def history_table(rows: Sequence[PocketRow], changes: Sequence[InsertChange]) -> Table:
    """One pocket's life: its place is in the question already, its insert and edge are not."""
    headings = ["captured", "operation", "outcome", "label", "review", *JUDGED, "wear land", "model", "insert", "edge"]
    headings.append("on edge")
    # A change stands before the photograph that shows the new insert; what is older than the rows is not told.
    lines = [(row.ordered_at, 0, _of_history(row)) for row in rows]
    shown = [change for change in changes if change.at >= rows[-1].ordered_at]
    lines += [(change.at, -1, _of_change(change, len(headings))) for change in shown]
    return table([*headings, "reason"], (line for *_, line in sorted(lines, key=lambda line: line[:2], reverse=True)))


def _of_history(row: PocketRow) -> list[Shown]:
    return [
        _captured(row),
        row.operation,
        _outcome(row),
        row.label,
        row.review,
        row.decision,
        _chance(row),
        wear.words() if (wear := row.wear()) else None,
        row.model_id,
        row.insert_designation,
        row.edge,
        row.operations_on_edge,
        row.reason if row.outcome else row.fault,
    ]


def _of_change(change: InsertChange, columns: int) -> list[Shown]:
    return [change.at, None, "new insert", *[None] * (columns - 3), f"changed, says {change.by}"]


def replace_table(rows: Sequence[PocketRow]) -> Table:
    """Inserts to change, as one walks along the machines; a person's label overrides a model's."""
    return table(
        ["machine", "head", "pocket", "insert", "edge", "label", "after", "seen"],
        (
            [
                row.machine,
                row.head,
                row.pocket,
                row.insert_designation,
                row.edge,
                row.review or row.label,
                row.operation,
                _captured(row),
            ]
            for row in rows
        ),
    )


def check_table(checks: Sequence[Check]) -> Table:
    """Checks with their answers."""
    return table(
        ["began", "machine", "head", "operation", "state", "judged", "replace", "review", "missing", "reason", "check"],
        (
            [
                check.started_at,
                check.machine,
                check.head,
                check.operation,
                check.state,
                f"{check.judged}/{check.size}",
                _pockets(check.replace),
                _pockets(check.review),
                _pockets(check.missing),
                check.reason,
                str(check.check_id),
            ]
            for check in checks
        ),
    )


def fault_table(faults: Sequence[Fault]) -> Table:
    """Faults with what a person needs to act on them."""
    return table(
        ["number", "last", "times", "station", "pocket", "reason", "detail", "capture", "state"],
        (
            [
                fault.id,
                fault.last_at,
                fault.count,
                fault.station,
                fault.pocket,
                fault.reason,
                fault.detail,
                str(fault.capture_id) if fault.capture_id else None,
                fault.state,
            ]
            for fault in faults
        ),
    )


def review_table(reviews: Sequence[Review]) -> Table:
    """Reviews: label, person and time."""
    return table(
        ["said", "by", "label", "capture", "note"],
        ([review.at, review.by, review.label, str(review.capture_id), review.note] for review in reviews),
    )


def queue_table(queue: Sequence[ToReview]) -> Table:
    """Captures that a person should look at, and why."""
    return table(
        ["why", "captured", "machine", "head", "pocket", "operation", "outcome", *JUDGED, "reviewed as", "capture"],
        (
            [
                item.why,
                _captured(item.row),
                item.row.machine,
                item.row.head,
                item.row.pocket,
                item.row.operation,
                item.row.outcome,
                item.row.decision,
                _chance(item.row),
                item.review.label if item.review else None,
                str(item.row.capture_id),
            ]
            for item in queue
        ),
    )


def pair_table(pairs: Sequence[OutcomePair]) -> Table:
    """The outcomes of the line and of a shadow, with the number of captures."""
    return table(["line", "shadow", "captures"], ([pair.line, pair.shadow, pair.count] for pair in pairs))


def tally_table(tallies: Mapping[str, Tally]) -> Table:
    """How often each was right by people's reviews."""
    return table(
        ["", "right", "wrong", "undecided"],
        ([name, tally.right, tally.wrong, tally.undecided] for name, tally in tallies.items()),
    )


def model_table(
    models: Sequence[Model],
    promotions: Sequence[Promotion],
    champion: Model | None,
    shadow: Model | None = None,
) -> Table:
    """Models, each with its last promotion to champion; a star marks the one in charge, a ring the one in shadow."""
    last = {promotion.model_id: promotion for promotion in reversed(promotions) if promotion.role == "champion"}
    marks = {shadow.model_id: "○"} if shadow else {}
    marks |= {champion.model_id: "★"} if champion else {}
    return table(
        ["", "model", "made", "backbone", "trained on", "classes", "promoted", "by", "why"],
        (
            [
                marks.get(model.model_id, ""),
                model.model_id,
                model.created_at,
                model.backbone,
                model.trained_on,
                ", ".join(model.classes),
                last[model.model_id].at if model.model_id in last else None,
                last[model.model_id].by if model.model_id in last else None,
                last[model.model_id].reason if model.model_id in last else None,
            ]
            for model in models
        ),
    )


def _captured(row: VerdictRow) -> Shown:
    """When a photograph was taken by its station's clock; beside it its place in the order where that was wrong."""
    if clock_error(row.captured_at, row.ordered_at) is None:
        return row.captured_at
    return f"{local(row.captured_at)} by a wrong clock, ordered as {local(row.ordered_at)}"


def _outcome(row: VerdictRow) -> str:
    return row.outcome or ("fault" if row.fault else "pending")


def _chance(row: VerdictRow) -> str | None:
    return None if row.probability is None else f"{row.probability:.1%}"


def _pockets(pockets: Sequence[int]) -> str | None:
    return " ".join(str(pocket) for pocket in pockets) or None


def table(headings: Sequence[str], rows: Iterable[Sequence[Shown]]) -> Table:
    """Rows of values below their headings, without a column that is empty in all; what are numbers is to the right."""
    listed = list(rows)
    shown = [place for place in range(len(headings)) if any(row[place] not in (None, "") for row in listed)]
    filled = NarrowTable()
    for place in shown:
        heading = headings[place]
        filled.add_column(heading, justify="right" if heading in _NUMBERS else "left", overflow="fold")
    for row in listed:
        filled.add_row(*(text(row[place]) for place in shown))
    return filled
