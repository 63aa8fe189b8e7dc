"""Checks: all captures after one operation on one head, and their result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, String, bindparam, cast, false, func, or_, select, true, type_coerce
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line import incomplete_checks, restores
from db.line.check_answers import KnownPockets, PocketState, Trouble, answer, gathered
from db.line.check_revisions import forget, hold, next_revision, note, note_pending
from db.line.check_search import begun_before, candidates, of_place
from db.line.contradicting_captures import CONTRADICT_WHEN_JUDGED, SHOWN, outcomes_of_firsts, shown
from db.line.contradictions import elsewhere
from db.line.rows import Filters, Position
from db.line.standing_faults import STANDS
from db.schema.tables import Captures, Checks, Faults
from producer.contract.places import OperationPlace
from producer.contract.vocabulary import State, outcome_now


@dataclass(frozen=True)
class Check:
    """The answer of a check after one operation.

    `size` is the largest that any of its captures tells. `state` is `pending` until every pocket from 1 to `size` is
    judged or has a fault; then `replace` if any insert is damaged, else `review` if a person has to look at any, else
    `go`. `replace` and `review` name the pockets in ascending order, also while the check is pending. `judged` counts
    those of them that have an answer. A person's newest review of a capture overrides its verdict, and is an answer
    also where there is no verdict yet. A check of one insert is of whichever pocket its photograph names.

    A check that was given up (`db.line.incomplete_checks`) is `review`, whatever was found, once all photographs
    that came are judged; `missing` are the pockets, of those from 1 to `size`, of which none came. They are
    in `review` too. So is a check whose captures contradict each other, and `reason` says how
    (`db.line.contradictions`). So is the newest check of a head that was not photographed anew since a backup was
    restored (`db.line.restores`).

    `revision` rises whenever something is written that may give the check another answer: of two answers the one with
    the higher revision is the later, in whatever order they are sent.
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
    revision: int = 0


def _key(table: Any) -> ColumnElement[Any]:
    """A row's check as the driver gives it: for thousands of rows, turning ids into objects takes the longest."""
    return type_coerce(table.check_id, String)


COLUMNS = (
    _key(Checks).label("key"),
    Checks.check_id,
    Checks.station,
    Checks.machine,
    Checks.head,
    Checks.operation,
    Checks.size,
    Checks.started_at,
    Checks.revision,
    Checks.awaited,
    Checks.given_up,
)
"""What `assessed` needs of a check."""

_NAMES = [column.key for column in COLUMNS[1:-2]]

# Cheap, and never fewer than `answer` wants: a pocket counts once there, and may have several captures here.
_ALL_ANSWERED = (
    Checks.size
    <= select(func.count())
    .where(Captures.check_id == Checks.check_id, or_(Captures.outcome.is_not(None), Captures.review.is_not(None)))
    .scalar_subquery()
    + select(func.count()).where(Faults.check_id == Checks.check_id, STANDS).scalar_subquery()
)
_IDS: Any = bindparam("ids", expanding=True)
_ANSWERED = Prepared(
    lambda *_: select(Checks.check_id).where(Checks.check_id.in_(_IDS), or_(Checks.given_up, _ALL_ANSWERED))
)

_OF_CHECK = Prepared(lambda *_: select(*COLUMNS).where(Checks.check_id.in_(_IDS)))
_NEXT_OF_CHECK = Prepared(lambda *_: next_revision(Checks.check_id.in_(_IDS)).returning(*COLUMNS))
_CAPTURE: Any = type_coerce(Captures.capture_id, String)
# A row for all pockets of a check that came to the same: reading thousands one by one takes longer than finding them.
_ALIKE = Prepared(
    lambda *_: (
        select(
            _key(Captures),
            Captures.outcome,
            Captures.review,
            func.aggregate_strings(cast(Captures.pocket, String), ","),
        )
        .where(Captures.check_id.in_(_IDS))
        .group_by(Captures.check_id, Captures.outcome, Captures.review)
    )
)
_CAPTURES_OF = Prepared(
    lambda *_: select(
        _key(Captures),
        _CAPTURE,
        Captures.pocket,
        type_coerce(Captures.ordered_at, String),
        Captures.outcome,
        Captures.review,
        Captures.machine,
        Captures.head,
        Captures.operation,
        *SHOWN,
    ).where(Captures.check_id.in_(_IDS))
)
_TROUBLES_OF = Prepared(
    lambda *_: select(_key(Faults), type_coerce(Faults.capture_id, String), Faults.pocket).where(
        Faults.check_id.in_(_IDS), STANDS
    )
)


def finish(
    session: Session, check_ids: Collection[UUID], *, again: Collection[UUID] = (), failed: Collection[UUID] = ()
) -> list[Check]:
    """The checks among these that are no longer pending, by what this transaction has written; it holds them.

    Each has its next revision, but for those of `again`, of which nothing was written: they are sent as they are. One
    whose photographs, now that they are judged, show that they contradict each other is noted as such first. So is what
    a check knows that no answer says (`db.line.holds`): it pends though one `failed`, or has one of another head.
    A note that one pended goes: its answer is sent now, or when the message comes again.
    """
    known = _known_now(session, check_ids, again) if check_ids else []
    doubtful = to_doubt(session, [check.check_id for check, _ in known if check.state != "pending"]) if known else []
    if doubtful:
        incomplete_checks.doubt(session, doubtful)
        known = _known_now(session, check_ids, check_ids)
    ended = [check for check, _ in known if check.state != "pending"]
    unsaid = {check.check_id for check, of in known if of.elsewhere or (check.state == "pending" and check.reason)}
    forget(session, {check.check_id for check in ended} - {*again})
    note(session, unsaid)
    note_pending(session, {*failed} - {check.check_id for check in ended})
    return ended


def finished(session: Session, check_ids: Collection[UUID]) -> list[Check]:
    """The checks among these that are no longer pending."""
    return [check for check, _ in _known_now(session, check_ids, check_ids) if check.state != "pending"]


def _known_now(
    session: Session, check_ids: Collection[UUID], again: Collection[UUID]
) -> list[tuple[Check, KnownPockets]]:
    """The checks among these that may be no longer pending, with what is known of their pockets."""
    connection = session.connection()
    answered = [check_id for (check_id,) in _ANSWERED.execute(connection, ids=list(check_ids))]
    changed = [check_id for check_id in answered if check_id not in again]
    unchanged = [check_id for check_id in answered if check_id in again]
    rows = [*_NEXT_OF_CHECK.execute(connection, ids=changed)] if changed else []
    rows += _OF_CHECK.execute(connection, ids=unchanged) if unchanged else []
    return [*assessed(session, rows)]


_TO_DOUBT = Prepared(
    lambda *_: select(Checks.check_id).where(
        Checks.check_id.in_(_IDS), ~Checks.awaited, ~Checks.given_up, CONTRADICT_WHEN_JUDGED
    )
)


def to_doubt(session: Session, check_ids: Collection[UUID]) -> list[UUID]:
    """The checks among these whose photographs contradict each other, now that they are judged.

    Pass them to `db.line.incomplete_checks.doubt` before the checks are answered (`finish`).
    """
    return [check_id for (check_id,) in _TO_DOUBT.execute(session.connection(), ids=list(check_ids))]


def if_given_up(session: Session, check_ids: Collection[UUID]) -> list[Check]:
    """The answers of some checks that no longer wait for missing photographs; each has its next revision.

    The answers are sent before the checks are given up (`db.line.incomplete_checks`). If a photograph arrives
    meanwhile, the answer with it has a higher revision.
    """
    columns = [*COLUMNS[:-2], false().label("awaited"), true().label("given_up")]
    hold(session, check_ids)
    rows = session.execute(next_revision(Checks.check_id.in_(check_ids)).returning(*columns)).all()
    return [check for check, _ in assessed(session, rows)]


def find(session: Session, check_id: UUID) -> Check | None:
    """The answer of one check; None if no event has named it."""
    rows = session.execute(select(*COLUMNS).where(Checks.check_id == check_id)).all()
    return next((check for check, _ in assessed(session, rows)), None)


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
    `producer.contract.names.IMPORTED`.
    """
    place: Filters = {"station": station, "machine": machine, "head": head, "since": since}
    if state is None:
        query = select(*COLUMNS).where(*of_place(place))
        if after is not None:
            query = query.where(begun_before(after))
        query = query.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(limit)
        return [check for check, _ in assessed(session, session.execute(query).all())]
    matching: list[Check] = []
    coming = candidates(session, state, COLUMNS, place, 2 * limit, after)
    while len(matching) < limit and (rows := list(islice(coming, limit))):
        matching += [check for check, _ in assessed(session, rows) if check.state == state]
    return matching[:limit]


def assessed(session: Session, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Check, KnownPockets]]:
    """Checks with their answers, and what these come from, by their `COLUMNS`: three queries at most for any number."""
    if not rows:
        return
    connection = session.connection()
    ids = {row[0]: row[1] for row in rows}
    troubles: dict[Any, list[Trouble]] = defaultdict(list)
    for key, capture_id, pocket in _TROUBLES_OF.execute(connection, ids=list(ids.values())):
        troubles[key].append(Trouble(capture_id, pocket))
    columns = {row[0]: dict(zip(_NAMES, row[1:], strict=False)) for row in rows}
    doubtful = troubles.keys() | {row[0] for row in rows if row[-2] or row[-1]}
    places = {key: (of["machine"], of["head"], of["operation"]) for key, of in columns.items()}
    sizes = {key: of["size"] for key, of in columns.items()}
    restored_at = restores.restored_at(session) if any(row[-1] for row in rows) else None
    known = _known(connection, ids, places, sizes, troubles, doubtful, restored_at)
    for key, *_, awaited, _given_up in rows:
        summary = answer(columns[key]["size"], known[key], awaited=awaited)
        yield Check(**columns[key], **vars(summary)), known[key]


def _known(
    connection: Connection,
    ids: Mapping[Any, UUID],
    places: Mapping[Any, OperationPlace],
    sizes: Mapping[Any, int],
    troubles: Mapping[Any, Sequence[Trouble]],
    doubtful: Collection[Any],
    restored_at: datetime | None,
) -> Mapping[Any, KnownPockets]:
    """What is known about the pockets of some checks with these places and sizes.

    Read capture by capture are those with a pocket that came twice, and the `doubtful`: with a fault, not whole, with
    captures that may contradict each other, or be of before a backup was restored.
    """
    outcomes: dict[Any, dict[int, str | None]] = {key: {} for key in ids}
    single = set(doubtful)
    for key, outcome, review, numbers in _ALIKE.execute(connection, ids=list(ids.values())):
        alike = dict.fromkeys(map(int, numbers.split(",")), outcome_now(review, outcome))
        if len(alike) <= numbers.count(",") or not alike.keys().isdisjoint(outcomes[key]):
            single.add(key)
        outcomes[key] |= alike
    states: dict[Any, list[PocketState]] = {key: [] for key in single}
    if single:
        one_by_one = _CAPTURES_OF.execute(connection, ids=[ids[key] for key in single])
        for key, capture_id, pocket, at, outcome, review, machine, head, operation, *of in one_by_one:
            outcome = outcome_now(review, outcome)
            other = elsewhere(places[key], (machine, head, operation))
            states[key].append(PocketState(capture_id, pocket, at, outcome, other, shown(of)))
    earlier = outcomes_of_firsts(connection, (state.shown for of in states.values() for state in of))
    return {
        key: gathered(states[key], troubles.get(key, ()), places[key], sizes[key], restored_at, earlier)
        if key in single
        else KnownPockets(of)
        for key, of in outcomes.items()
    }
