"""How many of the line's inserts are damaged, by the reviews that chance has chosen.

People look at what a model is unsure of, and import the folders that they have. So damage is far more frequent among
their labels than on the line. The rate is therefore counted by strata, each review for as many verdicts as its chance
represents (Horvitz and Thompson 1952, "A generalization of sampling without replacement from a finite universe"): an
unsure verdict is offered for review with certainty, an intact or damaged one with the chance of the sample
(`db.learning.review_chances.drawn`). What was reviewed for another reason, and what was imported, does not count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.learning.review_chances import drawn
from db.line.rows import on_machine
from db.schema.tables import Captures, Verdicts
from producer.contract.vocabulary import JUDGED, outcome_now

WINDOW: Final = 20_000
"""How many of the newest verdicts are counted."""

FEWEST: Final = 30
"""With fewer reviews by chance than this, no rate is given."""

FEWEST_EACH: Final = 5
"""Of verdicts of each outcome that there is."""


@dataclass(frozen=True)
class LineRate:
    """The share `damaged` of the newest `verdicts`, None while there are too few `reviews` by chance."""

    damaged: float | None
    reviews: int
    verdicts: int


def line_rate(session: Session) -> LineRate:
    """Count the line's rate. A photograph that shows no insert to judge, by its verdict or review, is left out."""
    newest = select(Verdicts.id, Verdicts.capture_id, Verdicts.outcome).where(Verdicts.current)
    newest = newest.order_by(Verdicts.id.desc()).limit(WINDOW)
    window = newest.subquery()
    by_chance = drawn(window.c.id).label("by_chance")
    query = (
        select(window.c.outcome, by_chance, Captures.review, func.count())
        .join(Captures, Captures.capture_id == window.c.capture_id)
        .where(on_machine(Captures.machine, None), window.c.outcome.in_(JUDGED))
        .group_by(window.c.outcome, by_chance, Captures.review)
    )
    verdicts, reviews, damaged = Counter[str](), Counter[str](), Counter[str]()
    for outcome, is_drawn, label, count in session.execute(query):
        verdicts[outcome] += count
        shown = outcome_now(label, None)
        if (is_drawn or outcome == "unsure") and shown in JUDGED:
            reviews[outcome] += count
            damaged[outcome] += count * (shown == "damaged")
    known = all(reviews[outcome] >= FEWEST_EACH for outcome in verdicts) and reviews.total() >= FEWEST
    rate = sum(count * damaged[outcome] / reviews[outcome] for outcome, count in verdicts.items()) if known else 0.0
    return LineRate(rate / verdicts.total() if known else None, reviews.total(), verdicts.total())
