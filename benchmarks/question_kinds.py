"""The kinds of questions that people ask, with values that are common, rare, or absent."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.history import MACHINES, MACHINES_PER_STATION, OPERATIONS
from db.line import checks, verdicts
from db.queries import pocket_history, replace_list, review_queue
from db.schema.tables import Captures, Pockets

Ask = Callable[[Session], object]
"""One question with its values, to be asked in a reading scope."""


@dataclass(frozen=True)
class Plant:
    """What there is to ask about: the heads with their machines, and when the last photograph was taken."""

    heads: tuple[tuple[str, str, int], ...]
    """Machine, head and number of pockets."""
    now: datetime

    @classmethod
    def of(cls, session: Session) -> Plant:
        """What the database knows."""
        heads = select(Pockets.machine, Pockets.head, func.max(Pockets.pocket)).group_by(Pockets.machine, Pockets.head)
        now = session.scalar(select(func.max(Captures.ordered_at)))
        if now is None:
            raise ValueError("there is nothing to ask about")
        return cls(tuple(sorted(tuple(row) for row in session.execute(heads))), now)


Value = Callable[[Plant, random.Random], Any]
"""Draws a value for a filter."""


def _station(_: Plant, rng: random.Random) -> str:
    return f"station-{rng.randint(1, MACHINES // MACHINES_PER_STATION)}"


def _machine(_: Plant, rng: random.Random) -> str:
    return f"mill-{rng.randint(1, MACHINES)}"


def _operation(_: Plant, rng: random.Random) -> str:
    return f"op-{rng.randint(1, OPERATIONS):04d}"


def _head(plant: Plant, rng: random.Random) -> str:
    return rng.choice(plant.heads)[1]


def _pocket(_: Plant, rng: random.Random) -> int:
    return rng.randint(1, 12)


def _ago(**span: float) -> Value:
    return lambda plant, _: plant.now - timedelta(**span)


def _always(value: Any) -> Value:
    return lambda *_: value


def _asking(question: Callable[..., object], **values: Value) -> Callable[[Plant, random.Random], Ask]:
    """A kind of question: each of its filters is drawn."""
    return lambda plant, rng: partial(question, **{name: draw(plant, rng) for name, draw in values.items()})


def _of_a_head(
    question: Callable[..., object], *filters: str, **values: Value
) -> Callable[[Plant, random.Random], Ask]:
    """A kind of question about one head: machine, head and pocket belong together."""

    def drawn(plant: Plant, rng: random.Random) -> Ask:
        machine, head, pockets = rng.choice(plant.heads)
        place = {"machine": machine, "head": head, "pocket": rng.randint(1, pockets)}
        return partial(
            question,
            **{name: place[name] for name in filters},
            **{name: draw(plant, rng) for name, draw in values.items()},
        )

    return drawn


_damaged, _unusable, _unsure = (_always(outcome) for outcome in ("damaged", "unusable", "unsure"))
_verdicts = partial(verdicts.search, limit=50)
_checks = partial(checks.recent, limit=20)
_history = partial(pocket_history.of_pocket, limit=50)

KINDS: Final[dict[str, dict[str, Callable[[Plant, random.Random], Ask]]]] = {
    "verdicts": {
        "the newest": _asking(_verdicts),
        "machine": _asking(_verdicts, machine=_machine),
        "machine, head": _of_a_head(_verdicts, "machine", "head"),
        "machine, head, pocket": _of_a_head(_verdicts, "machine", "head", "pocket"),
        "machine, head, damaged": _of_a_head(_verdicts, "machine", "head", outcome=_damaged),
        "machine, damaged": _asking(_verdicts, machine=_machine, outcome=_damaged),
        "machine, unusable": _asking(_verdicts, machine=_machine, outcome=_unusable),
        "machine, operation": _asking(_verdicts, machine=_machine, operation=_operation),
        "machine, since 1 d": _asking(_verdicts, machine=_machine, since=_ago(days=1)),
        "damaged": _asking(_verdicts, outcome=_damaged),
        "damaged, since 2 h": _asking(_verdicts, outcome=_damaged, since=_ago(hours=2)),
        "unsure": _asking(_verdicts, outcome=_unsure),
        "unusable": _asking(_verdicts, outcome=_unusable),
        "head": _asking(_verdicts, head=_head),
        "head, damaged": _asking(_verdicts, head=_head, outcome=_damaged),
        "head, unusable": _asking(_verdicts, head=_head, outcome=_unusable),
        "head, pocket": _asking(_verdicts, head=_head, pocket=_pocket),
        "station": _asking(_verdicts, station=_station),
        "station, damaged": _asking(_verdicts, station=_station, outcome=_damaged),
        "station, unusable": _asking(_verdicts, station=_station, outcome=_unusable),
        "operation": _asking(_verdicts, operation=_operation),
        "operation, damaged": _asking(_verdicts, operation=_operation, outcome=_damaged),
        "operation, station": _asking(_verdicts, operation=_operation, station=_station),
        "a shift's": _asking(_verdicts, since=_ago(hours=16), until=_ago(hours=8)),
        "no such machine": _asking(_verdicts, machine=_always("mill-99")),
        "no such head": _asking(_verdicts, head=_always("H9999")),
        "no such station": _asking(_verdicts, station=_always("station-9")),
        "no such operation": _asking(_verdicts, operation=_always("op-9999")),
        "machine without that head": _asking(_verdicts, machine=_machine, head=_always("H9999")),
        "none since": _asking(_verdicts, since=_ago(seconds=-1)),
        "no such machine, damaged": _asking(_verdicts, machine=_always("mill-99"), outcome=_damaged),
    },
    "checks": {
        "the newest": _asking(_checks),
        "since 1 d": _asking(_checks, since=_ago(days=1)),
        "machine": _asking(_checks, machine=_machine),
        "machine, head": _of_a_head(_checks, "machine", "head"),
        "head": _asking(_checks, head=_head),
        "station": _asking(_checks, station=_station),
        "replace": _asking(_checks, state=_always("replace")),
        "review": _asking(_checks, state=_always("review")),
        "go": _asking(_checks, state=_always("go")),
        "pending": _asking(_checks, state=_always("pending")),
        "machine, replace": _asking(_checks, machine=_machine, state=_always("replace")),
        "machine, review": _asking(_checks, machine=_machine, state=_always("review")),
        "machine, pending": _asking(_checks, machine=_machine, state=_always("pending")),
        "machine, head, replace": _of_a_head(_checks, "machine", "head", state=_always("replace")),
        "station, review": _asking(_checks, station=_station, state=_always("review")),
        "head, review": _asking(_checks, head=_head, state=_always("review")),
        "review, since 1 d": _asking(_checks, state=_always("review"), since=_ago(days=1)),
        "no such machine": _asking(_checks, machine=_always("mill-99")),
        "no such head": _asking(_checks, head=_always("H9999")),
        "no such station": _asking(_checks, station=_always("station-9")),
        "no such station, review": _asking(_checks, station=_always("station-9"), state=_always("review")),
    },
    "replace": {
        "the plant": _asking(replace_list.to_replace),
        "machine": _asking(replace_list.to_replace, machine=_machine),
        "machine, head": _of_a_head(replace_list.to_replace, "machine", "head"),
        "head": _asking(replace_list.to_replace, head=_head),
        "no such machine": _asking(replace_list.to_replace, machine=_always("mill-99")),
    },
    "history": {
        "a pocket": _of_a_head(_history, "machine", "head", "pocket"),
        "no such pocket": _of_a_head(_history, "machine", "head", pocket=_always(99)),
        "no such head": _asking(_history, machine=_machine, head=_always("H9999"), pocket=_pocket),
    },
    "review_queue": {
        "20": _asking(review_queue.queue, limit=_always(20)),
        "50": _asking(review_queue.queue, limit=_always(50)),
        "200": _asking(review_queue.queue, limit=_always(200)),
    },
}
"""The kinds of each question; a benchmark asks all of them equally often."""
