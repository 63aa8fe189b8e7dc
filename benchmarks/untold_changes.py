"""What comes of insert changes that nobody tells: how often a person is asked, and how right the answers stay.

Simulated plants whose lines call some intact inserts damaged, and whose people tell some changes and others not; nobody
answers a question. `python -m benchmarks.untold_changes` prints it for several such lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import numpy as np

from db.line.insert_histories import InsertHistory, of_one_pocket
from worker.lives.from_histories import life_of, lives, strata
from worker.lives.weibull import fit

T0: Final = datetime(2026, 1, 1, tzinfo=UTC)
HEADS, POCKETS, OPERATIONS = 8, 6, 120
ORIGINS: Final = (30, 45, 60, 100)
LINES: Final = ((0.01, 0.0), (0.005, 0.3), (0.01, 0.3), (0.02, 0.3), (0.01, 0.8))
"""The chance that an intact insert is called damaged in a look, and the share of changes that nobody tells."""
PLANTS: Final = 12


@dataclass(frozen=True)
class Look:
    """A photograph as the database gives it, the number of its insert, and what that had done and does in all."""

    row: Any
    insert: int
    age: int
    ends: float


def pocket(rng: np.random.Generator, head: str, number: int, scale: float, alarms: float, untold: float) -> list[Look]:
    """The looks at a pocket, one an operation.

    A damaged insert is seen as such 95 times in 100, else unsure; an intact one is unsure 5 times. Where it is called
    damaged it is changed before the next operation (80 %), one later (15 %) or six later. Of the intact ones that are
    called damaged half are changed too, and a quarter are reviewed.
    """
    result: list[Look] = []
    insert, age, ends, due, told_at = 0, 0, _end(rng, scale), math.inf, T0 - timedelta(minutes=1)
    for operation in range(OPERATIONS):
        at = T0 + timedelta(hours=operation)
        if due <= 0:
            told_at = told_at if rng.random() < untold else at - timedelta(minutes=5)
            insert, age, ends, due = insert + 1, 0, _end(rng, scale), math.inf
        due, age = due - 1, age + 1
        is_damaged, chance, review = ends < age, rng.random(), None
        if is_damaged:
            outcome = "damaged" if chance < 0.95 else "unsure"
        else:
            outcome = "damaged" if chance < alarms else "unsure" if chance < alarms + 0.05 else "intact"
        if outcome == "damaged" and math.isinf(due):
            if is_damaged:
                due = float(rng.choice([0, 1, 6], p=[0.8, 0.15, 0.05]))
            elif rng.random() < 0.5:
                due = 0
            elif rng.random() < 0.5:
                review = "intact"
        row = SimpleNamespace(
            **{"capture_id": UUID(int=int(rng.integers(1, 2**62))), "machine": "m", "head": head, "pocket": number},
            **dict.fromkeys(("insert_designation", "edge", "operations_on_edge", "label", "pixels_per_mm")),
            **{"wear_mean": None, "wear_max": None, "ordered_at": at, "operation": f"op-{operation}"},
            **{"check_id": operation, "check_size": 1},
            **{"review": review, "outcome": outcome, "insert_changed_at": told_at},
            probability=rng.uniform(*{"intact": (0, 0.1), "unsure": (0.1, 0.8), "damaged": (0.8, 1)}[outcome]),
        )
        result.append(Look(row, insert, age, ends))
    return result


def _end(rng: np.random.Generator, scale: float) -> float:
    return float(min(scale * rng.weibull(2.5), rng.exponential(250)))


@dataclass
class Came:
    """What came of a line: questions of `looks`, those `false` where the insert was the same, and answers."""

    looks: int = 0
    questions: int = 0
    false: int = 0
    answers: int = 0
    covered: int = 0
    wrong_age: int = 0
    width: float = 0.0

    def __str__(self) -> str:
        """All as shares, and questions in a thousand looks."""
        questions, false = (1000 * count / self.looks for count in (self.questions, self.false))
        asked = f"{questions:.1f} questions in 1000 looks, {false:.1f} false"
        covered, wrong = self.covered / self.answers, self.wrong_age / self.answers
        width = self.width / self.answers
        return f"{asked}; {self.answers} answers, {covered:.3f} covered, {width:.1f} wide, {wrong:.3f} of a wrong age"


def follow(seed: int, alarms: float, untold: float, came: Came) -> None:
    """One plant: ask at each origin, and count questions as they come."""
    rng = np.random.default_rng(seed)
    pockets = []
    for head in range(HEADS):
        scale = 25 * float(np.exp(rng.normal(0, 0.3)))
        pockets += [pocket(rng, f"head-{head}", number, scale, alarms, untold) for number in range(1, POCKETS + 1)]
    for origin in ORIGINS:
        inserts: list[InsertHistory] = []
        now: list[Look] = []
        for looks in pockets:
            known = _known(looks[:origin])
            inserts += known
            now += [looks[origin - 1]] * len(known)
        of = strata(inserts)
        model = fit(lives(inserts, of))
        for insert, stratum, look in zip(inserts, of, now, strict=True):
            life = life_of(insert, stratum) if model is not None and insert.is_in_use else None
            if model is None or life is None or life.has_ended or look.row.outcome != "intact" or look.ends <= look.age:
                continue
            low, high = model.curve(stratum, life.low).interval
            came.answers += 1
            came.covered += low <= look.ends - look.age <= high
            came.wrong_age += life.low != look.age
            came.width += high - low
    for looks in pockets:
        came.looks += len(looks)
        for damaged, intact in _questions(looks):
            came.questions += 1
            came.false += damaged.insert == intact.insert


def _known(looks: Sequence[Look]) -> list[InsertHistory]:
    first, newest = looks[0].row, looks[-1].row
    rows = [look.row for look in looks]
    return list(of_one_pocket(first.machine, first.head, first.pocket, rows, newest.insert_changed_at))


def _questions(looks: Sequence[Look]) -> Iterator[tuple[Look, Look]]:
    """The last damaged look and the first intact one of each question; whether there is one is asked now and then."""
    by_id = {look.row.capture_id: number for number, look in enumerate(looks)}
    asked = set()
    for until in range(4, len(looks) + 1, 3):
        suspected = _known(looks[:until])[-1].suspected
        if suspected is not None and suspected.first not in asked:
            asked.add(suspected.first)
            first = by_id[suspected.first]
            yield next(look for look in looks[first - 1 :: -1] if look.row.outcome == "damaged"), looks[first]


def main() -> None:
    """Print what came of every line."""
    for alarms, untold in LINES:
        came = Came()
        for seed in range(PLANTS):
            follow(seed, alarms, untold, came)
        print(f"{alarms:.1%} false alarms, {untold:.0%} untold: {came}", flush=True)


if __name__ == "__main__":
    main()
