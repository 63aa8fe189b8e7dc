"""Captures: the photographs that stations sent, each recorded once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared, inserted
from db.line import captures_ahead, check_revisions, check_rows, head_size, incomplete_checks
from db.line.capture_order import OrderedPhoto, ordered_at
from db.line.check_order import Placed, put_in_order, taken_beside
from db.line.insert_changes import is_unseen, last_changed_at
from db.line.verdicts import Verdict, current_of
from db.schema.column_types import aware
from db.schema.tables import Captures, Pockets
from producer.contract.places import PocketPlace


@dataclass(frozen=True)
class Capture:
    """One photograph of one insert after one operation, with the fields of its event.

    `image` is the key in the image store, `region` what of it shows the insert, with the fields of
    `producer.contract.region`. All other fields are those of the event.
    """

    capture_id: UUID
    captured_at: datetime
    station: str
    machine: str
    head: str
    pocket: int
    operation: str
    check_id: UUID
    check_size: int
    image: str
    image_sha256: str
    region: Mapping[str, Any] | None = None
    insert_designation: str | None = None
    edge: int | None = None
    operations_on_edge: int | None = None


@dataclass(frozen=True)
class Arrival:
    """A capture's event has come, at `received_at`.

    `tried` says that judging it begins at once if it is new. Without `shows` the capture is a stand-in for a
    photograph: the pocket keeps what its last photograph showed. `counted`: its check's size is what the photographs
    show, and no more come; if the head is known to have more pockets (`db.line.head_size`), these are missing.
    """

    capture: Capture
    received_at: datetime
    tried: bool = False
    shows: bool = True
    counted: bool = False


@dataclass(frozen=True)
class Known:
    """What the database knew of a capture before this arrival: nothing (`new`), or how often judging it was tried,
    and its current verdict. `ordered_at` is the place in the order that a new one was given. With `another` all of
    this is of another capture, which has its id."""

    new: bool
    attempts: int
    verdict: Verdict | None
    ordered_at: datetime | None = field(default=None, compare=False)
    another: bool = False


_COLUMNS = [getattr(Captures, field.name) for field in fields(Capture)]
_NAMES = [field.name for field in fields(Capture)]
_PLACE = (Pockets.machine, Pockets.head, Pockets.pocket)
_SUBJECT = attrgetter("image_sha256", "check_id", "machine", "head", "pocket", "operation")
_POCKET_NAMES = ("machine", "head", "pocket", "ordered_at", "capture_id")

_KNOWN = Prepared(
    lambda *_: select(Captures.capture_id, Captures.attempts, Captures.outcome, *_COLUMNS).where(
        Captures.capture_id.in_(bindparam("ids", expanding=True))
    )
)
_COUNT_FIRST = Prepared(
    lambda *_: (
        update(Captures.__table__)  # type: ignore[arg-type]
        .where(Captures.capture_id.in_(bindparam("ids", expanding=True)))
        .values(attempts=Captures.attempts + 1)
    )
)
_DOUBTED: Final = case(
    (Captures.review.is_(None), func.coalesce(Captures.outcome, "unsure").in_(("unsure", "unusable"))),
    else_=Captures.review == "unusable",
)
"""The outcomes that a person must look at, or that are to come."""

_NEWEST = Prepared(
    lambda *_: (
        select(
            *_PLACE,
            *(getattr(Captures, field.name) for field in fields(OrderedPhoto) if field.name != "flagged"),
            and_(or_(Pockets.damaged, _DOUBTED), ~is_unseen()),
            last_changed_at(),
        )
        .join(Captures, Captures.capture_id == Pockets.capture_id)
        # Each column by itself, though that may find some pockets more: for a list of triples SQLite would scan the
        # table.
        .where(*(column.in_(bindparam(f"{column.key}s", expanding=True)) for column in _PLACE))
    )
)


def record(session: Session, capture: Capture, received_at: datetime) -> bool:
    """Keep a capture, with its check and its pocket; True if it was new.

    A capture that is already there stays as it is, so the same message may arrive any number of times. Of the sizes
    that a check's captures tell the largest counts, whichever comes first; its machine and head are the first one's.

    Raises:
        ValueError: a datetime is naive.
    """
    return arrive(session, [Arrival(capture, received_at)])[0].new


def arrive(session: Session, arrivals: Sequence[Arrival]) -> list[Known]:
    """Keep many captures as `record` does, and say of each what was known before it.

    Where judging begins at once, the attempt is counted here, before the work starts, unless there was one already:
    what was tried before without coming to an end is to be tried differently, and counted by `db.line.attempts`.

    Raises:
        ValueError: a datetime is naive.
    """
    connection = session.connection()
    # The usual repetition writes nothing at all, not even a lock on the row of its check.
    known, subjects = _known(connection, {arrival.capture.capture_id for arrival in arrivals})
    first: dict[UUID, Arrival] = {}
    for arrival in arrivals:
        if arrival.capture.capture_id not in known:
            first.setdefault(arrival.capture.capture_id, arrival)
    order = _ordered(connection, first.values())
    written = _insert(session, first.values(), order)
    if len(written) < len(first):  # another worker was faster by a moment
        faster = _known(connection, first.keys() - written)
        known, subjects = known | faster[0], subjects | faster[1]

    answers, begun = list[Known](), set[UUID]()
    for arrival in arrivals:
        capture_id = arrival.capture.capture_id
        answer = known.get(capture_id) or Known(True, 0, None, order[capture_id])
        of = subject_of(arrival.capture)
        another = subjects.setdefault(capture_id, of) != of
        answers.append(replace(answer, another=True) if another else answer)
        if another:
            continue
        attempts = answer.attempts
        if arrival.tried and answer.verdict is None and attempts == 0:
            attempts = 1
            if not (answer.new and first[capture_id] is arrival):  # that one was inserted with its attempt
                begun.add(capture_id)
        known[capture_id] = Known(False, attempts, answer.verdict)
    if begun:
        _COUNT_FIRST.execute(connection, ids=sorted(begun))
    return answers


def subject_of(capture: Capture) -> tuple[object, ...]:
    """Everything that identifies a capture: if two with one id differ in it, they are two captures."""
    region = None if capture.region is None else json.dumps(capture.region, sort_keys=True)
    return (*_SUBJECT(capture), region)


def _known(connection: Connection, ids: Collection[UUID]) -> tuple[dict[UUID, Known], dict[UUID, tuple[object, ...]]]:
    rows = _KNOWN.execute(connection, ids=list(ids))
    verdicts = current_of(connection, [row[0] for row in rows if row[2] is not None])
    known = {row[0]: Known(False, row[1], verdicts.get(row[0])) for row in rows}
    return known, {row[0]: subject_of(Capture(*row[3:])) for row in rows}


def _ordered(connection: Connection, arrivals: Collection[Arrival]) -> dict[UUID, datetime]:
    """The place of each of these in the order of all captures, by what is known of its pocket."""
    if not arrivals:
        return {}
    machines, heads, pockets = (sorted(set(names)) for names in zip(*map(_place, arrivals), strict=True))
    rows = list(_NEWEST.execute(connection, machines=machines, heads=heads, pockets=pockets))
    newest = {row[:3]: OrderedPhoto(*row[3:-1]) for row in rows}
    changed = {row[:3]: row[-1] for row in rows}
    order: dict[UUID, datetime] = {}
    latest: list[Placed] = []
    ahead: set[UUID] = set()
    now = datetime.now(UTC)
    for arrival in sorted(arrivals, key=lambda arrival: arrival.received_at):
        capture, place = arrival.capture, _place(arrival)
        times = capture.capture_id, capture.station, aware(capture.captured_at), aware(arrival.received_at)
        before = newest.get(place)
        changed_at = changed.get(place)
        is_first = before is not None and changed_at is not None and before.ordered_at < changed_at
        beside = taken_beside(connection, capture.station, capture.capture_id) if is_first else ()
        order[capture.capture_id] = moment = ordered_at(*times, before, changed_at, beside, now)
        if before is None or (before.ordered_at, before.capture_id) < (moment, capture.capture_id):
            newest[place] = OrderedPhoto(*times, moment)
            behind = None if before is None else before.ordered_at
            latest.append(Placed(place[0], place[1], capture.check_id, *times[:2], times[-1], moment, behind))
        elif before.received_at > now:  # once that time has come nobody sees that it came by a clock ahead
            ahead.add(before.capture_id)
    captures_ahead.note_in(connection, ahead)
    return order | put_in_order(connection, latest)


def _place(arrival: Arrival) -> PocketPlace:
    return PocketPlace(arrival.capture.machine, arrival.capture.head, arrival.capture.pocket)


def _insert(session: Session, arrivals: Collection[Arrival], order: Mapping[UUID, datetime]) -> set[UUID]:
    """Write captures with their checks and pockets; which ids were really written, not found there after all."""
    if not arrivals:
        return set()
    connection = session.connection()
    checks: dict[UUID, dict[str, Any]] = {}
    counted: dict[UUID, int] = {}
    pockets: dict[PocketPlace, dict[str, Any]] = {}
    rows = []
    for arrival in arrivals:
        capture = arrival.capture
        moment = order[capture.capture_id]
        check = checks.get(capture.check_id)
        size = max(capture.check_size, check["size"] if check is not None else 0)
        if arrival.counted and capture.check_id not in counted:
            size = max(size, head_size.known(connection, capture.head))
        if arrival.counted:
            counted[capture.check_id] = max(counted.get(capture.check_id, 0), capture.check_size)
        if check is None or moment < check["started_at"]:
            check = {name: getattr(capture, name) for name in check_rows.NAMES}
            check |= {"started_at": moment, "awaited": True}
        checks[capture.check_id] = check | {"size": size}
        rows.append(
            vars(capture) | {"received_at": arrival.received_at, "attempts": int(arrival.tried), "ordered_at": moment}
        )
    # In one order everywhere, so that two workers wait for each other in line and not in a circle.
    check_rows.BEGIN.execute(connection, sorted(checks.values(), key=lambda row: row["check_id"]))
    rows.sort(key=lambda row: row["capture_id"])
    written = {capture_id for (capture_id,) in _CAPTURE.execute(connection, rows)}
    telling = written - {arrival.capture.capture_id for arrival in arrivals if not arrival.shows}
    for row in (row for row in rows if row["capture_id"] in telling):
        place = PocketPlace(row["machine"], row["head"], row["pocket"])
        newest = pockets.get(place)
        if newest is None or _moment(newest) < _moment(row):
            pockets[place] = {name: row[name] for name in _POCKET_NAMES}
    if pockets:
        _POCKET.execute(connection, [pockets[place] for place in sorted(pockets)])
    if written:
        # The row of the check is held since its insert, so of two workers the second sees what the first has brought.
        check_revisions.note_doubted(session, incomplete_checks.update_awaited(connection, checks))
        incomplete_checks.give_up_counted(connection, counted)
    return written


def _moment(row: Mapping[str, Any]) -> tuple[datetime, UUID]:
    return row["ordered_at"], row["capture_id"]


def _capture(dialect: str, rows: int) -> Any:
    new = inserted(dialect, Captures, (*_NAMES, "received_at", "attempts", "ordered_at"), rows)
    return new.on_conflict_do_nothing().returning(Captures.capture_id)


def _pocket(dialect: str, rows: int) -> Any:
    new = inserted(dialect, Pockets, _POCKET_NAMES, rows)
    newer = tuple_(new.excluded.ordered_at, new.excluded.capture_id) > tuple_(Pockets.ordered_at, Pockets.capture_id)
    return new.on_conflict_do_update(
        index_elements=[Pockets.machine, Pockets.head, Pockets.pocket],
        # Nothing is known of the new photograph yet; what there is to know comes with its verdict (db.line.pockets).
        set_={"ordered_at": new.excluded.ordered_at, "capture_id": new.excluded.capture_id, "damaged": False},
        where=newer,
    )


_CAPTURE, _POCKET = Prepared(_capture), Prepared(_pocket)


def places(session: Session, capture_ids: Collection[UUID]) -> dict[UUID, PocketPlace]:
    """The pocket of each of these captures that is recorded."""
    columns = Captures.machine, Captures.head, Captures.pocket
    query = select(Captures.capture_id, *columns).where(Captures.capture_id.in_(capture_ids))
    return {row.capture_id: PocketPlace(row.machine, row.head, row.pocket) for row in session.execute(query)}


def find(session: Session, capture_id: UUID) -> Capture | None:
    """The capture of that id, or None."""
    row = session.execute(select(*_COLUMNS).where(Captures.capture_id == capture_id)).first()
    return Capture(**row._mapping) if row else None
