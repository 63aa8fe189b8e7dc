"""Which checks may have come to a state: found by indexes, the newest first, without going through all checks.

The state of a check is computed (`db.line.check_answers.answer`), so a rare one cannot be looked up. But no check comes
to `replace` or `review` without a capture that is not intact (or an open fault, or being given up, as one is whose
captures contradict each other), nor is it `pending`
without a capture that is not judged or a pocket that was not photographed yet; and of these there are indexes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session

from db.engine.clock import AFTER_ALL
from db.line.rows import NEWEST_FIRST, Filters, Position, conditions, older_than, on_machine
from db.schema.column_words import FAULT_STATES
from db.schema.tables import Captures, Checks, Faults, UtcDateTime
from producer.contract.names import IMPORTED
from producer.contract.vocabulary import CHECK_STATE_OF, OUTCOME_OF

Rows = Sequence[Row[*tuple[Any, ...]]]

CheckPage = tuple[Rows, datetime | None]
"""Some checks, and a moment: those still to come did not begin after it. None: there are no more."""

_FAULTY: Final = select(Faults.check_id).where(
    Faults.state.in_({*FAULT_STATES} - {"closed"}), Faults.check_id.is_not(None)
)

_BEGUN: Final = attrgetter("started_at", "check_id")

# By state: the outcome or review of a capture that may be the reason for it, or a property of the check itself.
_OUTCOMES: Final = {
    state: tuple(outcome for outcome, comes_to in CHECK_STATE_OF.items() if comes_to == state)
    for state in ("replace", "review")
}
_REVIEWS: Final = {
    state: tuple(label for label, outcome in OUTCOME_OF.items() if outcome in outcomes)
    for state, outcomes in _OUTCOMES.items()
}
_CHECKS: Final[dict[str, tuple[ColumnElement[bool], ...]]] = {
    "review": (Checks.check_id.in_(_FAULTY), literal_column("checks.given_up")),
    "pending": (literal_column("checks.awaited"),),
}


def candidates(
    session: Session, state: str, columns: Sequence[Any], place: Filters, size: int, after: Position | None = None
) -> Iterator[Any]:
    """Every check of a place that may be in a state, the one that began last first; the caller computes its state.

    Args:
        session: where to look.
        state: one of `producer.contract.vocabulary.STATES`.
        columns: what to select of a check, in any case its id, place and beginning.
        place: `station`, `machine`, `head` and `since` of the checks that are asked about.
        size: about how many to read at once.
        after: the beginning and id of a check: only those that follow it are wanted.
    """
    checks = select(*columns)
    # A capture may be taken after the check that follows `after` began, so captures are read from the newest on.
    following = [] if after is None else [begun_before(after)]
    captures = select(Captures.ordered_at, Captures.capture_id, Captures.check_id)
    wanted: list[Select[*tuple[Any, ...]]] = []
    for outcome in _OUTCOMES.get(state, ()):
        # A review overrides the verdict. The unsure ones that have none wait for a person in an index of their own.
        unsure = (Captures.outcome == literal_column("'unsure'"), *_aside(Captures, place))
        where = unsure if outcome == "unsure" else conditions({**place, "outcome": outcome})
        wanted.append(captures.where(*where, Captures.review.is_(None)))
    reviewed = Captures.review != literal_column("'intact'")
    for label in _REVIEWS.get(state, ()):
        wanted.append(captures.where(Captures.review == label, reviewed, *_aside(Captures, place)))
    if state == "pending":
        # By outcome too, though it is the same for all: PostgreSQL does not see that IS NULL keeps the index in order.
        unjudged = captures.where(Captures.outcome.is_(None), *_aside(Captures, place))
        wanted.append(unjudged.order_by(Captures.outcome.desc()))
    sources = [_by_captures(session, checks, state, size) for state in wanted]
    for condition in _CHECKS.get(state, ()):
        sources.append(_by_checks(session, checks.where(condition, *_aside(Checks, place), *following), size))
    if state == "go":  # most checks come to it
        sources.append(_by_checks(session, checks.where(*of_place(place), *following), size))

    horizons = dict.fromkeys(sources, AFTER_ALL)
    seen: set[UUID] = set()
    waiting: list[Any] = []
    while horizons:
        source = max(horizons, key=lambda source: horizons[source])
        rows, horizon = next(source)
        if horizon is None:
            del horizons[source]
        else:
            horizons[source] = horizon
        waiting += [
            row
            for row in rows
            if row.check_id not in seen and _is_at(row, place) and (after is None or _BEGUN(row) < after)
        ]
        seen.update(row.check_id for row in rows)
        # What began after all that can still come is next.
        last = max(horizons.values(), default=None)
        yield from sorted((row for row in waiting if last is None or row.started_at > last), key=_BEGUN, reverse=True)
        waiting = [row for row in waiting if last is not None and row.started_at <= last]


def of_place(place: Filters) -> list[ColumnElement[bool]]:
    """The `WHERE` of checks at a place and since a moment."""
    terms = [on_machine(Checks.machine, place.get("machine"))]
    terms += [getattr(Checks, name) == place.get(name) for name in ("station", "head") if place.get(name) is not None]
    since = place.get("since")
    return terms if since is None else [*terms, Checks.started_at >= since]


def begun_before(position: Position) -> ColumnElement[bool]:
    """Checks after a position in the order the one that began last first."""
    began, check_id = position
    return tuple_(Checks.started_at, Checks.check_id) < tuple_(literal(began, UtcDateTime()), literal(check_id, Uuid()))


def _is_at(check: Any, place: Filters) -> bool:
    """Whether a check meets `of_place`."""
    since = place.get("since")
    return (
        all(place.get(name) in (None, getattr(check, name)) for name in ("station", "machine", "head"))
        and (place.get("machine") is not None or check.machine != IMPORTED)
        and (since is None or check.started_at >= since)
    )


def _aside(table: type[Captures | Checks], place: Filters) -> list[ColumnElement[bool]]:
    """A place as a condition for which no index is used: where another one leads to fewer rows."""
    named = [name for name in ("station", "machine", "head") if place.get(name) is not None]
    terms: list[ColumnElement[bool]] = [func.coalesce(getattr(table, name), "") == place.get(name) for name in named]
    if "machine" not in named:
        terms.append(on_machine(table.machine, None))
    since = place.get("since")
    if since is not None:
        terms.append((Captures.ordered_at if table is Captures else Checks.started_at) >= since)
    return terms


def _by_checks(session: Session, checks: Select[*tuple[Any, ...]], size: int) -> Iterator[CheckPage]:
    """Checks in the order of their beginning."""
    query = checks.order_by(Checks.started_at.desc(), Checks.check_id.desc()).limit(size)
    page = query
    while len(rows := session.execute(page).all()) == size:
        yield rows, rows[-1].started_at
        page = query.where(begun_before(_BEGUN(rows[-1])))
    yield rows, None


def _by_captures(
    session: Session, checks: Select[*tuple[Any, ...]], captures: Select[*tuple[Any, ...]], size: int
) -> Iterator[CheckPage]:
    """The checks of captures, in the order of these: a check began before any of its captures was taken."""
    query = captures.order_by(*NEWEST_FIRST).limit(size)
    page = query
    while True:
        rows = session.execute(page).all()
        ids = {row.check_id for row in rows}
        found_checks = list(session.execute(checks.where(Checks.check_id.in_(ids)))) if ids else []
        if len(rows) < size:
            yield found_checks, None
            return
        yield found_checks, rows[-1].ordered_at
        page = query.where(older_than((rows[-1].ordered_at, rows[-1].capture_id)))
