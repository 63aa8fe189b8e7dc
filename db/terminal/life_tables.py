"""How long inserts last, as tables and sentences for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.table import Table

from db.learning.change_cost import ChangeCosts
from db.learning.remaining_lives import RemainingLife, in_words
from db.line.insert_histories import SuspectedChange
from db.queries.shift_risk import shift_risk
from db.terminal.tables import table
from producer.terminal.counts import counted


def life_table(lives: Sequence[RemainingLife]) -> Table:
    """How long each insert lasts from where it was last seen intact, as one walks along the machines."""
    return table(
        ["machine", "head", "pocket", "done", "lasts", "seen intact"],
        ([life.machine, life.head, life.pocket, life.age, in_words(life), life.as_of] for life in lives),
    )


def shift_table(lives: Sequence[RemainingLife], operations: int, costs: ChangeCosts) -> Table:
    """The inserts that do not last so many operations, with what each choice costs in planned changes."""
    rows: list[list[str | int]] = []
    for life in lives:
        row = shift_risk(life, operations, costs)
        now, later = row.cost_now or 0.0, row.cost_later or 0.0
        choice = "now" if now < later else "later"
        costs_of = (f"{now:.2f}", f"{later:.2f}")
        where = life.machine, life.head, life.pocket
        rows.append([*where, life.age, in_words(life), f"{row.risk:.0%}", *costs_of, choice])
    headings = ["machine", "head", "pocket", "done", "lasts", "damaged", "cost now", "cost later", "cheaper"]
    return table(headings, rows)


def question(change: SuspectedChange) -> str:
    """What a person is asked about an insert that seems to have been changed."""
    place = f"{shlex.quote(change.machine)} {shlex.quote(change.head)} {change.pocket}"
    return (
        f"was the insert of machine {change.machine}, head {change.head}, pocket {change.pocket} changed? "
        f"{counted(change.damaged, 'damaged look')}, then {counted(change.intact, 'intact one')}, and no record. "
        f"If it was: `insert-db insert-changed {place} --first {change.first}`; if not: review its photographs"
    )
