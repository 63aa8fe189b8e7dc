"""Checks: all captures after one operation on one head, and their result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, false, func, or_, select
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.check_search import begun_before, candidates, of_place
from db.line.rows import Filters, Position
from db.schema.tables import Captures, Checks, Faults
from producer.contract.vocabulary import OUTCOME_OF, State


@dataclass(frozen=True)
class Check:
    """What a post-operation check has come to.

    `size` is the largest that any of its captures tells. `state` is `pending` until every pocket from 1 to `size` is
    judged or has a fault; then `replace` if any insert is damaged, else `review` if a person has to look at any, else
    `go`. `replace` and `review` name the pockets in ascending order, also while the check is pending. `judged` counts
    those of them that have an answer. A person's newest review of a capture overrides its verdict, and is an answer
    also where there is no verdict yet. A check of one insert is of whichever pocket its photograph names.

    A check that was given up (`db.line.incomplete_checks`) is `review`, whatever was found, once all photographs
    that came are judged; `missing` are the pockets, of those from 1 to `size`, of which none came. They are
    in `review` too. So is a check whose captures contradict each other, and `reason` says how: one is of a pocket
    above the size, or of another machine or head than the first.
    """

    check_id: UUID
    station: str
    machine: str
    head: str
    operation: str
    size: int
    started_at: datetime
    state: State
    replace: tuple[int, ...]
    review: tuple[int, ...]
    judged: int
    missing: tuple[int, ...] = ()
    reason: str | None = None


class PocketState(NamedTuple):
    """One capture of a check: its place in the order (`db.line.capture_order`) and its outcome.

    `outcome` is that of its newest review, else of its current verdict, else None: it waits for both. Id and moment are
    compared only, so they may be as a driver gives them. `elsewhere` names the head where it is not the check's.
    """

    capture_id: Any
    pocket: int
    ordered_at: Any
    outcome: str | None
    elsewhere: str | None = None


@dataclass(frozen=True)
class Trouble:
    """An open fault that belongs to a check: of a capture, or of a pocket whose event could not be used."""

    capture_id: Any
    pocket: int | None


@dataclass(frozen=True)
class CheckSummary:
    """The answer of a check: the fields of the same names in `Check`."""

    state: State
    replace: tuple[int, ...]
    review: tuple[int, ...]
    judged: int
    missing: tuple[int, ...] = ()
    reason: str | None = None


def assess(
    size: int, states: Iterable[PocketState], troubles: Iterable[Trouble] = (), *, awaited: bool = True
) -> CheckSummary:
    """What a check of `size` inserts comes to.

    Of a pocket that was captured more than once the newest capture counts. A fault sends its pocket to review,
    unless its capture was judged after all, or was followed by a newer one. A capture of another head stands for no
    pocket of this one. Without `awaited`, pockets that have no photograph are waited for no more.
    """
    pocket_of: dict[Any, int] = {}
    newest: dict[int, PocketState] = {}
    elsewhere: dict[Any, PocketState] = {}
    for capture in sorted(states, key=lambda capture: (capture.ordered_at, capture.capture_id)):
        if capture.elsewhere is not None:
            elsewhere[capture.capture_id] = capture
            continue
        pocket_of[capture.capture_id] = capture.pocket
        newest[capture.pocket] = capture
    outcomes = {pocket: capture.outcome for pocket, capture in newest.items() if capture.outcome is not None}

    faulty: set[int] = set()
    for trouble in troubles:
        if trouble.capture_id in elsewhere:
            continue
        pocket = pocket_of.get(trouble.capture_id) if trouble.capture_id else None
        if pocket is None:
            if trouble.pocket is not None:
                faulty.add(trouble.pocket)
        elif pocket not in outcomes and newest[pocket].capture_id == trouble.capture_id:
            faulty.add(pocket)

    seen = newest.keys() | faulty
    answered = outcomes.keys() | faulty
    # A photograph that is handed in by itself is a check of one insert, whose pocket need not be the first.
    wanted = seen if size == 1 and len(seen) == 1 else set(range(1, size + 1))
    missing = set() if awaited else wanted - seen
    beyond = {pocket for pocket in seen - wanted if pocket > size}
    reason = _contradiction(size, beyond, elsewhere.values())
    replace = {pocket for pocket, outcome in outcomes.items() if outcome == "damaged"}
    review = {pocket for pocket, outcome in outcomes.items() if outcome != "intact"} | faulty | missing | beyond
    review = (review | {capture.pocket for capture in elsewhere.values()}) - replace
    judged = len(wanted & answered)
    state: State = "go"
    if not (wanted - missing) | seen <= answered:
        state = "pending"
    elif missing or reason:
        state = "review"
    elif replace:
        state = "replace"
    elif review:
        state = "review"
    return CheckSummary(state, tuple(sorted(replace)), tuple(sorted(review)), judged, tuple(sorted(missing)), reason)


def _contradiction(size: int, beyond: Collection[int], elsewhere: Iterable[PocketState]) -> str | None:
    """What captures of a check say against each other, in words; None where they agree."""
    said = [f"{_pockets(beyond)} of a check of {size}"] if beyond else []
    by_head: dict[str, set[int]] = defaultdict(set)
    for capture in elsewhere:
        by_head[capture.elsewhere or ""].add(capture.pocket)
    said += [f"{_pockets(of)} of {head}" for head, of in sorted(by_head.items())]
    return f"contradiction: {'; '.join(said)}" if said else None


def _pockets(pockets: Collection[int]) -> str:
    return f"pocket{'s' if len(pockets) > 1 else ''} {', '.join(map(str, sorted(pockets)))}"


COLUMNS = (
    Checks.check_id,
    Checks.station,
    Checks.machine,
    Checks.head,
    Checks.operation,
    Checks.size,
    Checks.started_at,
    Checks.awaited,
)
_NAMES = [column.key for column in COLUMNS[:-1]]


# Not the column itself: by its index SQLite, which has no statistics, would read all open faults.
_IS_OPEN = func.coalesce(Faults.state, "") == "open"
# Cheap, and never fewer than `assess` wants: a pocket counts once there, and may have several captures here.
_ALL_ANSWERED = (
    Checks.size
    <= select(func.count())
    .where(Captures.check_id == Checks.check_id, or_(Captures.outcome.is_not(None), Captures.review.is_not(None)))
    .scalar_subquery()
    + select(func.count()).where(Faults.check_id == Checks.check_id, _IS_OPEN).scalar_subquery()
)
_IDS: Any = bindparam("ids", expanding=True)
_ANSWERED = Prepared(
    lambda *_: select(Checks.check_id).where(Checks.check_id.in_(_IDS), or_(Checks.given_up, _ALL_ANSWERED))
)


_OF_CHECK = Prepared(lambda *_: select(*COLUMNS).where(Checks.check_id.in_(_IDS)))
_CAPTURES_OF = Prepared(
    lambda *_: select(
        Captures.check_id,
        Captures.capture_id,
        Captures.pocket,
        Captures.ordered_at,
        Captures.outcome,
        Captures.review,
        Captures.machine,
        Captures.head,
    ).where(Captures.check_id.in_(_IDS))
)
_TROUBLES_OF = Prepared(
    lambda *_: select(Faults.check_id, Faults.capture_id, Faults.pocket).where(Faults.check_id.in_(_IDS), _IS_OPEN)
)


def finished(session: Session, check_ids: Collection[UUID]) -> list[Check]:
    """Those of some checks that are not pending any more."""
    answered = [check_id for (check_id,) in _ANSWERED.execute(session.connection(), ids=list(check_ids))]
    if not answered:
        return []
    rows = _OF_CHECK.execute(session.connection(), ids=answered)
    return [check for check in _assessed(session, rows) if check.state != "pending"]


def if_given_up(session: Session, check_ids: Collection[UUID]) -> list[Check]:
    """What some checks come to when what has not come of them is waited for no more."""
    columns = [*COLUMNS[:-1], false().label("awaited")]
    return list(_assessed(session, session.execute(select(*columns).where(Checks.check_id.in_(check_ids))).all()))


def find(session: Session, check_id: UUID) -> Check | None:
    """What one check has come to; None where no capture of it was recorded."""
    rows = session.execute(select(*COLUMNS).where(Checks.check_id == check_id)).all()
    return next(_assessed(session, rows), None)


def recent(
    session: Session,
    *,
    station: str | None = None,
    machine: str | None = None,
    head: str | None = None,
    state: State | None = None,
    since: datetime | None = None,
    limit: int = 50,
    after: Position | None = None,
) -> list[Check]:
    """Checks, the one that began last first; `since` is the earliest beginning.

    `after` is the beginning and the id of the last one of the page before.

    The checks of imported captures are not the line's: they are listed only for `machine`
    `db.line.insert_lives.IMPORTED`.
    """
    place: Filters = {"station": station, "machine": machine, "head": head, "since": since}
    if state is None:
        query = select(*COLUMNS).where(*of_place(place))
        if after is not None:
            query = query.where(begun_before(after))
        query = query.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(limit)
        return list(_assessed(session, session.execute(query).all()))
    matching: list[Check] = []
    coming = candidates(session, state, COLUMNS, place, 2 * limit, after)
    while len(matching) < limit and (rows := list(islice(coming, limit))):
        matching += [check for check in _assessed(session, rows) if check.state == state]
    return matching[:limit]


def _assessed(session: Session, rows: Sequence[Sequence[Any]]) -> Iterator[Check]:
    """Checks with their answers, from their `COLUMNS`: two queries for any number of them."""
    connection = session.connection()
    checks = {row[0]: dict(zip(_NAMES, row, strict=False)) for row in rows}
    ids = list(checks)
    states: dict[UUID, list[PocketState]] = defaultdict(list)
    for check_id, capture_id, pocket, moment, outcome, review, *place in _CAPTURES_OF.execute(connection, ids=ids):
        outcome = OUTCOME_OF[review] if review is not None else outcome
        other = elsewhere(checks[check_id]["machine"], checks[check_id]["head"], *place)
        states[check_id].append(PocketState(capture_id, pocket, moment, outcome, other))
    troubles: dict[UUID, list[Trouble]] = defaultdict(list)
    for check_id, capture_id, pocket in _TROUBLES_OF.execute(connection, ids=ids):
        troubles[check_id].append(Trouble(capture_id, pocket))
    for check_id, *_, awaited in rows:
        columns = checks[check_id]
        answer = assess(columns["size"], states[check_id], troubles[check_id], awaited=awaited)
        yield Check(**columns, **vars(answer))


def elsewhere(machine: str, head: str, of_machine: str, of_head: str) -> str | None:
    """Of which head a capture is, in words, where it is not that of its check; None where it is."""
    if machine != of_machine:
        return f"machine {of_machine}, head {of_head}"
    return f"head {of_head}" if head != of_head else None
