"""From the looks at inserts to their lives."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from db.line.insert_histories import InsertHistory
from producer.contract.vocabulary import DAMAGE_KINDS
from worker.lives.life import CensoredLife
from worker.lives.wear_line import WearLine, WornOut


class Stratum(NamedTuple):
    """What lives have in common: the head in its machine, and the operation, empty where heads do several of them."""

    machine: str
    head: str
    operation: str


def strata(inserts: Sequence[InsertHistory]) -> list[Stratum]:
    """The stratum of each insert.

    An operation counts where a head's inserts do nothing else in their life, and it is the same for several of them;
    where each operation has a name of its own, as an order number, it says nothing about the next one.
    """
    operations = [{look.operation for look in insert.looks} for insert in inserts]
    only = [next(iter(names)) if len(names) == 1 else "" for names in operations]
    of_head = Counter((insert.machine, insert.head, name) for insert, name in zip(inserts, only, strict=True))
    return [
        Stratum(
            insert.machine,
            insert.head,
            name if of_head[insert.machine, insert.head, name] > 1 and len(insert.looks) > 1 else "",
        )
        for insert, name in zip(inserts, only, strict=True)
    ]


def lives(inserts: Sequence[InsertHistory], of: Iterable[Stratum]) -> list[CensoredLife]:
    """The lives of those inserts whose age is known."""
    result = (life_of(insert, stratum) for insert, stratum in zip(inserts, of, strict=True))
    return [life for life in result if life is not None]


def life_of(insert: InsertHistory, stratum: Stratum) -> CensoredLife | None:
    """What is known of an insert's life; None where its age is not known, or it was damaged when it was first seen.

    It was damaged from the first damaged look on after the last intact one: a damaged verdict that an intact one
    follows was a mistake. Unsure looks between the two make the interval wider.
    """
    looks = [(look.age, look) for look in insert.looks if look.age is not None]
    ages = [age for age, look in looks if look.outcome == "intact"]
    if not looks or not (ages or insert.is_from_new):
        return None
    entry = 0 if insert.is_from_new else looks[0][0]
    low = max(ages, default=0)
    last_intact = max((number for number, (_, look) in enumerate(looks) if look.outcome == "intact"), default=-1)
    damaged = [(age, look) for age, look in looks[last_intact + 1 :] if look.outcome == "damaged"]
    if not damaged:
        return CensoredLife(stratum, max(entry, low))
    high = damaged[0][0]
    low = min(low, high - 1)  # of two photographs after one operation the later one is right
    if low < entry:
        return None
    kinds = (kind for _, look in damaged for kind in DAMAGE_KINDS if kind == look.label)
    return CensoredLife(stratum, low, high if high > low else math.inf, next(kinds, None), entry)


def wear_line_of(insert: InsertHistory, until: float) -> WearLine | None:
    """How wide the land of an insert was up to that age, in the unit of its newest width; None where too few were told.

    Of several photographs after one operation the last counts.
    """
    looks = ((look.age, look.wear) for look in insert.looks if look.age is not None and look.age <= until)
    widths = {age: wear for age, wear in looks if wear is not None}
    if not widths:
        return None
    unit = widths[max(widths)].unit
    return WearLine.of([(age, wear.mean) for age, wear in sorted(widths.items()) if wear.unit == unit], unit)


def worn_out(inserts: Sequence[InsertHistory], of: Iterable[Stratum]) -> list[WornOut]:
    """The measured lives that ended, but not by what was said to be no wear: at the middle of when they may have."""
    result = []
    for insert, stratum in zip(inserts, of, strict=True):
        life = life_of(insert, stratum)
        if life is None or not life.has_ended or life.kind not in ("worn", None):
            continue
        if (line := wear_line_of(insert, life.low)) is not None:
            result.append(WornOut(line, (life.low + life.high) / 2))
    return result
