"""What is unknown about a plant's heads now: the pockets to be looked at, for Replace now and the hand-over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy.orm import Session

from db.console.context import Console
from db.console.heads_now import declared, heads_now
from db.engine import clock
from db.queries.head_answer import HeadOverview
from db.queries.whole_runs import whole_runs
from producer.contract.places import HeadPlace, PocketPlace

HEADS_LOOKED_THROUGH: Final = 20
"""How many heads are read for a page that is often opened: those that it lists first, and of each kind those that were
photographed last. A plant may have hundreds."""

HEADS_AT_ONCE: Final = 50
"""So many are read with the same few queries: more at once cost as much for each, and keep others waiting."""

_OPEN: Final = ("unsure", "unusable", "fault", "missing", "pending", "old")
"""What a pocket may show if its state is unknown; the others are to be replaced, or intact."""

UNKNOWN: Final = ("unsure", "unusable", "fault", "missing")
"""Those of them that a person must look at."""

LeftOpen = Mapping[HeadPlace, Mapping[str, Sequence[int]]]
"""By head and by word the pockets whose present state is unknown; `old`: photographed too long ago."""


def left_open(
    console: Console,
    session: Session,
    heads: Sequence[HeadPlace],
    listed: Collection[HeadPlace] = (),
    most: int = HEADS_LOOKED_THROUGH,
    to_replace: Collection[PocketPlace] | None = None,
) -> LeftOpen:
    """What is open in at most so many of some heads, which are in the order of their last photographs.

    `to_replace` are the inserts to be replaced in them, from who has asked for them already.
    """
    places = sorted(heads, key=lambda place: place not in listed)[:most]
    now = clock.latest(session)
    steps = [places[begin : begin + HEADS_AT_ONCE] for begin in range(0, len(places), HEADS_AT_ONCE)]
    overviews = [head for some in steps for head in heads_now(console, session, some, now, to_replace)]
    of_heads = {(head.machine, head.head): of_head(head) for head in overviews}
    return {place: of_heads[place] for place in sorted(of_heads) if of_heads[place]}


def unknown(
    console: Console, session: Session, heads: Sequence[HeadPlace], to_replace: Collection[PocketPlace]
) -> list[PocketPlace]:
    """The pockets of any number of heads of which nobody knows what is in them: neither what waits, nor what is old.

    Head by head are read only those whose last run does not say all of them.
    """
    runs = whole_runs(session)
    whole = {of: runs[of] for of in heads if of in runs and declared(console, of[1]) in (None, runs[of].pockets)}
    others = [of for of in heads if of not in whole]
    open_now = left_open(console, session, others, most=len(others), to_replace=to_replace)
    pockets = {PocketPlace(*of, pocket) for of, run in whole.items() for pocket in run.open} - {*to_replace}
    by_word = [(of, words.get(word, ())) for of, words in open_now.items() for word in UNKNOWN]
    return sorted(pockets.union(PocketPlace(*of, pocket) for of, some in by_word for pocket in some))


def of_head(head: HeadOverview) -> dict[str, list[int]]:
    """What is open in a head, by word."""
    words: dict[int, str] = dict.fromkeys(head.old, "old")
    if head.answer is not None:
        words |= dict.fromkeys(head.answer.review, "unsure")
    words |= dict.fromkeys(head.awaited, "pending")
    words |= {pocket: word for pocket, word in head.words.items() if word not in ("intact", "empty")}
    by_word = {word: sorted(pocket for pocket, of in words.items() if of == word) for word in _OPEN}
    return {word: pockets for word, pockets in by_word.items() if pockets}
