"""A head at a glance: what is in each pocket now, what the last operations left, and what its last check said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.engine.clock import AFTER_ALL, BEFORE_ALL
from db.engine.prepared import Prepared
from db.line import head_checks, late_labels
from db.line.check_answers import KnownPockets
from db.line.checks import Check
from db.queries import pockets_now, replace_list
from db.queries.head_answer import UNSEEN, HeadCheck, HeadOverview
from db.queries.pockets_now import Alike, PocketWord
from db.schema.tables import Pockets
from producer.contract.names import IMPORTED
from producer.contract.places import HeadPlace, PocketPlace

STALE_MINUTES: Final = 60.0
"""Minutes after which the last photograph of a head says nothing about now."""

OPERATIONS: Final = 5
"""How many of a head's last operations are looked at, if nobody asks for more."""

_MISSING: Final[PocketWord] = "missing"
_NOTHING_TO_DO: Final = frozenset({"missing", "intact", "new"})
"""Words that need no person's look if the register does not have the pocket."""


def heads(session: Session) -> list[HeadPlace]:
    """Machine and head of all that were ever seen on the line, the one that was photographed last first."""
    return [(machine, head) for machine, head in _HEADS.execute(session.connection())]


_HEADS: Final = Prepared(
    lambda *_: (
        select(Pockets.machine, Pockets.head)
        .where(Pockets.machine != IMPORTED)
        .group_by(Pockets.machine, Pockets.head)
        .order_by(func.max(Pockets.ordered_at).desc(), Pockets.machine, Pockets.head)
    )
)


def overviews(
    session: Session,
    places: Sequence[HeadPlace],
    *,
    operations: int = OPERATIONS,
    declared: Mapping[str, int] | None = None,
    fresh_since: datetime = BEFORE_ALL,
    now: datetime = AFTER_ALL,
    to_replace: Collection[PocketPlace] | None = None,
) -> list[HeadOverview]:
    """Some heads, each with so many of its last operations: as many queries for fifty as for one.

    Args:
        session: of the database.
        places: machine and head of each.
        operations: so many of each.
        declared: how many pockets the head register gives a head, by its name.
        fresh_since: what was photographed or came before that is too old to say something about now.
        now: what did both later, by a clock that was ahead, says as little, also once that time has come
            (`db.line.captures_ahead`).
        to_replace: the inserts to be replaced in these heads, from who has asked for them already.
    """
    if not places:
        return []
    seen = pockets_now.newest(session, places, fresh_since, now)
    doubtful = {row.check_id for rows in seen.values() for row in rows if row.is_doubtful}
    last: dict[HeadPlace, list[HeadCheck]] = {place: [] for place in places}
    newest = head_checks.newest_of_heads(session, places, operations, doubtful)
    for check, known, span in newest.checks:
        if (check.machine, check.head) in last:  # a photograph may lie in a check of another head
            last[check.machine, check.head].append(HeadCheck(check, _words(check, known), span))
    damaged = set(_damage_of_before(session, seen) if to_replace is None else to_replace)
    sizes = declared or {}
    return [
        _overview(
            place,
            seen[place],
            last[place],
            operations,
            declared=sizes.get(place[1]),
            damaged=damaged,
            unseen=newest.unseen.get(place, ()),
        )
        for place in places
    ]


def _damage_of_before(session: Session, seen: Mapping[HeadPlace, Sequence[Alike]]) -> list[PocketPlace]:
    """The inserts to be replaced by older photographs than the newest, which are all that hides one."""
    if any(row.word == "pending" for rows in seen.values() for row in rows):
        return replace_list.places_to_replace(session)
    return [label.place for label in late_labels.in_force(session)]


def _overview(
    place: HeadPlace,
    rows: Sequence[Alike],
    last: Sequence[HeadCheck],
    operations: int,
    *,
    declared: int | None,
    damaged: Collection[PocketPlace],
    unseen: Collection[int],
) -> HeadOverview:
    now = {pocket: row.word for row in rows for pocket in row.pockets}
    # Neither what waits nor what came before a person said so takes damage away, here as on the replace list.
    now |= {pocket: "damaged" for pocket in now if (*place, pocket) in damaged}
    now |= {pocket: _MISSING for pocket in unseen if _doubt(_MISSING, now.get(pocket))}
    seen = {pocket: row for row in rows for pocket in row.pockets}
    of_checks = _of_checks(last, now, seen)
    words = now | {pocket: word for pocket, (word, _) in of_checks.items()}
    size = _size(last, seen, declared)
    if last and last[0].check.state != "pending":  # else its pockets are still awaited
        words = dict.fromkeys(range(1, size + 1), _MISSING) | words
    # What was photographed once beyond the pockets that the register gives was a mistake, and nobody will again: it is
    # there only while a person has something to do about it.
    if declared:
        words = {pocket: word for pocket, word in words.items() if pocket <= size or word not in _NOTHING_TO_DO}
    beyond = size if declared else max([size, *now])
    of_head = [row for row in rows if row.word != "new" and min(row.pockets) <= beyond]
    return HeadOverview(
        *place,
        words,
        last_at=max((row.last_at for row in rows), default=None),
        operations=last[:operations],
        size=max([size, *words]),
        fresh_at=min((min(row.first_at, row.received_at) for row in of_head if row.is_fresh), default=None),
        old=frozenset(pocket for row in of_head if not row.is_fresh for pocket in row.pockets if pocket <= beyond),
        awaited=_awaited(last, seen),
        doubts={pocket: check for pocket, (_, check) in of_checks.items()},
    )


def _awaited(operations: Sequence[HeadCheck], seen: Mapping[int, Alike]) -> frozenset[int]:
    """The pockets that a check waits for and that were not photographed since it began."""
    return frozenset(
        pocket
        for operation in operations
        if operation.check.state == "pending" and operation.check.size > 1
        for pocket in range(1, operation.check.size + 1)
        if pocket not in operation.words and _tells_of(operation, seen.get(pocket))
    )


def _tells_of(operation: HeadCheck, seen: Alike | None) -> bool:
    """Whether a check says more of a pocket than its newest photograph: it came with it, or before the check began.

    A clock that is wrong cannot be distinguished from a backlog, so either order is accepted: at worst a person looks.
    """
    if seen is None or seen.check_id == operation.check.check_id:
        return True
    return operation.span.began >= seen.received_at or operation.span.last_at >= seen.first_at


def _size(last: Sequence[HeadCheck], seen: Mapping[int, Alike], declared: int | None) -> int:
    """How many pockets a head has: as the register says, or its checks, or the photographs that came by themselves.

    The register may be out of date: the last check of at least as many pockets counts, or a larger one of which a
    pocket beyond the register was photographed lately: that pocket is there. A check of fewer pockets says nothing
    about the others.
    """
    of_several = [operation for operation in last if operation.check.size > 1]
    if not declared:
        return max((operation.check.size for operation in of_several), default=max(seen, default=0))
    sizes = [operation.check.size for operation in of_several if operation.check.size >= declared]
    shown = [
        operation.check.size
        for operation in of_several
        for pocket, word in operation.words.items()
        if declared < pocket <= operation.check.size and word not in UNSEEN
        if pocket in seen and seen[pocket].is_fresh
    ]
    return max([*sizes[:1], *shown], default=declared)


def _of_checks(
    operations: Sequence[HeadCheck], now: Mapping[int, PocketWord], seen: Mapping[int, Alike]
) -> dict[int, tuple[PocketWord, Check]]:
    """The pockets for which a check of them says less than their newest photograph, with its word and the check.

    It holds until another check that came later has more to say of the pocket: later by arrival and in the order, of
    which one may be wrong.
    """
    less: dict[int, tuple[PocketWord, Check]] = {}
    for operation in operations:
        for pocket, word in operation.words.items():
            doubt = _doubt(word, now.get(pocket))
            if doubt is None or pocket in less or not _tells_of(operation, seen.get(pocket)):
                continue
            later_words = (later.words.get(pocket) for later in operations if later.span.is_after(operation.span))
            if all(of is None or _doubt(of, now.get(pocket)) for of in later_words):
                less[pocket] = doubt, operation.check
    return less


def _doubt(word: PocketWord, shown: PocketWord | None) -> PocketWord | None:
    """The word of a check for a pocket whose newest photograph is `shown`, if the check's word says less.

    The check has no photograph of the pocket, or a fault: then an earlier photograph says nothing about now, except
    damage, which stays until the insert is changed. Or it has an unusable one that the pocket does not show: a
    stand-in. Or it does not believe what the photograph shows.
    """
    if word == "unsure" and shown == "intact":
        return word
    unseen = word if word in UNSEEN else _MISSING if word == "unusable" != shown else None
    return None if shown in ("damaged", "new") else unseen


def _words(check: Check, known: KnownPockets) -> dict[int, PocketWord]:
    """What a check left in each pocket that was photographed, or should have been."""
    words: dict[int, PocketWord] = {pocket: outcome or "pending" for pocket, outcome in known.outcomes.items()}  # type: ignore[misc]
    for pocket in check.review:
        word = words.get(pocket)
        if word is None or (word == "pending" and pocket in known.faulty):
            words[pocket] = "missing" if pocket in check.missing else "fault"
        elif word == "intact":
            words[pocket] = "unsure"  # as its photographs contradict each other
    return words
