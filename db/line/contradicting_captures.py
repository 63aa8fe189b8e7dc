"""Queries and conditions about the captures of one check that may contradict each other.

`db.line.contradictions` says in words what follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from db.engine.prepared import Prepared
from db.line.contradictions import First, Outcomes, Shown
from db.line.rows import current_verdict
from db.line.second_run import Times
from db.schema.tables import Captures, Checks, Verdicts
from producer.contract.names import IMPORTED

_SEPARATOR: Final = "|"
"""Separates the names of a place: no name may contain it (`producer.contract.names`)."""
_BETWEEN: Final[ColumnElement[str]] = literal_column(f"'{_SEPARATOR}'")


def _place(of: Any, pocket: Any) -> ColumnElement[str]:
    """A machine, a head, an operation, a pocket and a check."""
    place: ColumnElement[str] = of.machine + _BETWEEN + of.head + _BETWEEN + of.operation + _BETWEEN
    return place + cast(pocket, String) + _BETWEEN + cast(of.check_id, String)


_First, _FirstJudged = aliased(Captures), aliased(Verdicts)
_OWN_POCKET: Final = or_(_First.check_id == Captures.check_id, Captures.region.is_not(None))
_FIRST_PLACE: Final = _place(_First, case((_OWN_POCKET, Captures.pocket), else_=_First.pocket))
_ITS_PLACE: Final = _place(Captures, Captures.pocket)


def _node(of: Any) -> ColumnElement[str]:
    """The ending that the ids of one outbox share (`producer.contract.event.next_id`)."""
    text = cast(of.capture_id, String)
    return func.substr(text, func.length(text) - 7)


# Of one outbox by its ids, which no clock spoils; else by their arrivals. In the order of the index, and no further
# than to the first of them, however often the photograph came.
_CAME_BEFORE: Final = case(
    (
        (_First.station == Captures.station) & (_node(_First) == _node(Captures)),
        _First.capture_id < Captures.capture_id,
    ),
    else_=tuple_(_First.received_at, _First.capture_id) < tuple_(Captures.received_at, Captures.capture_id),
)


_REGION: Final = cast(Captures.region, String)
_FRAME: Final = select(Verdicts.frame).where(current_verdict()).correlate(Captures).scalar_subquery()


def _before(column: Any) -> Select[Any]:
    """A column of captures that came before this one. What was imported is no photograph of the line."""
    of_the_line = _First.machine != literal_column(f"'{IMPORTED}'")
    return select(column).where(of_the_line, _CAME_BEFORE).limit(1).correlate(Captures)


def _of_first(column: Any) -> Any:
    """A column of the first capture that came with just these bytes, before this one; null where none did."""
    of_one = _before(column).where(_First.image_sha256 == Captures.image_sha256)
    return of_one.order_by(_First.received_at, _First.capture_id).scalar_subquery()


def _of_first_alike(column: Any) -> Any:
    """The same of the first that was judged of those with just these pixels, in whichever file."""
    alike = _before(column).join(_FirstJudged, _FirstJudged.capture_id == _First.capture_id)
    return alike.where(_FirstJudged.frame == _FRAME).order_by(_FirstJudged.id).scalar_subquery()


SHOWN: Final = (
    Captures.image_sha256,
    _REGION,
    _FRAME,
    Captures.insert_designation,
    Captures.ordered_at,
    Captures.received_at,
    cast(Captures.check_id, String),
    *(
        of(column)
        for of in (_of_first, _of_first_alike)
        for column in (_FIRST_PLACE, _First.ordered_at, _First.received_at)
    ),
)
"""What `shown` needs of a capture."""

OF_CHECK: Final = Captures.check_id == Checks.check_id
OF_ITS_PLACE: Final = (
    (Captures.machine == Checks.machine) & (Captures.head == Checks.head) & (Captures.operation == Checks.operation)
)
# The place is no condition: for one SQLite, which has no statistics, would read all that was ever seen of the head.
PHOTOGRAPHED: Final = (
    select(func.count(case((OF_ITS_PLACE, Captures.pocket)).distinct()))
    .where(OF_CHECK)
    .correlate(Checks)  # not with captures, where it is asked about one
    .scalar_subquery()
)
"""How many pockets of a check were photographed."""

_MISPLACED: Final = (
    select(Captures.capture_id)
    .where(OF_CHECK, ~OF_ITS_PLACE | ((Captures.pocket > Checks.size) & ((Checks.size > 1) | (PHOTOGRAPHED > 1))))
    .correlate(Checks)
    .exists()
)
_OF_SEVERAL_POCKETS: Final = func.min(Captures.pocket) < func.max(Captures.pocket)
_WITH_REGION: Final = cast(Captures.pocket, String) + _BETWEEN + _REGION
_SHARED: Final = (
    select(Captures.check_id)
    .where(OF_CHECK)
    .group_by(Captures.check_id, Captures.image_sha256)
    .having(
        _OF_SEVERAL_POCKETS,
        or_(
            func.count(Captures.region) < func.count(),
            func.count(_REGION.distinct()) < func.count(_WITH_REGION.distinct()),
        ),
    )
    .correlate(Checks)
    .exists()
)


def _kind(of: Any) -> ColumnElement[str]:
    """As `producer.contract.names.designation_form`."""
    # Constants as words, not as parameters: so PostgreSQL sees that what is selected is what is grouped by.
    nothing: ColumnElement[str] = literal_column("''")
    without_blanks = func.replace(func.upper(of.insert_designation), literal_column("' '"), nothing)
    return func.replace(without_blanks, literal_column("'-'"), nothing)


_OF_TWO_KINDS: Final = (
    select(func.count(_kind(Captures).distinct())).where(OF_CHECK).correlate(Checks).scalar_subquery() > 1
)


def _came_elsewhere(of: Callable[[Any], Any]) -> ColumnElement[bool]:
    """Whether a capture of the check came first for another place, or in another check."""
    return select(Captures.capture_id).where(OF_CHECK, of(_FIRST_PLACE) != _ITS_PLACE).correlate(Checks).exists()


_REPEATED: Final = _came_elsewhere(_of_first)
_Check, _Other, _OfOther = aliased(Checks), aliased(Captures), aliased(Verdicts)
_IS_ELSEWHERE: Final = (
    select(_Check.check_id)
    .where(_Check.check_id == Captures.check_id)
    .where(
        or_(
            _Check.machine != Captures.machine,
            _Check.head != Captures.head,
            _Check.operation != Captures.operation,
            (Captures.pocket > _Check.size) & (_Check.size > 1),
        )
    )
    .correlate(Captures)
    .exists()
)
_STANDS_FOR_ANOTHER: Final = (
    select(_Other.capture_id)
    .where(_Other.check_id == Captures.check_id, _Other.image_sha256 == Captures.image_sha256)
    .where(_Other.pocket != Captures.pocket)
    .where(or_(Captures.region.is_(None), _Other.region.is_(None), cast(_Other.region, String) == _REGION))
    .correlate(Captures)
    .exists()
)
# In another file, as from a camera that hangs and writes what time it is.
_HAS_THE_PIXELS_OF_ANOTHER: Final = (
    select(_Other.capture_id)
    .join(_OfOther, (_OfOther.capture_id == _Other.capture_id) & _OfOther.current)
    .where(_Other.check_id == Captures.check_id, _Other.pocket != Captures.pocket, _OfOther.frame == _FRAME)
    .correlate(Captures)
    .exists()
)
_WITH_OTHERS: Final = (
    select(func.count(_Other.pocket.distinct()))
    .where(_Other.check_id == Captures.check_id, _kind(_Other) == _kind(Captures))
    .correlate(Captures)
    .scalar_subquery()
)
# First as it is written, which is the same in nearly every check, and cheaper to compare.
_IS_WRITTEN_OTHERWISE: Final = _Other.insert_designation != Captures.insert_designation
_OF_ANOTHER_KIND: Final = (
    (_Other.check_id == Captures.check_id) & _IS_WRITTEN_OTHERWISE & (_kind(_Other) != _kind(Captures))
)
HAS_TWO_KINDS: Final[ColumnElement[bool]] = Captures.insert_designation.is_not(None) & (
    select(_Other.capture_id).where(_OF_ANOTHER_KIND).correlate(Captures).exists()
)
"""Whether another photograph of its check names another insert."""

_IS_OF_NO_MAJORITY: Final = HAS_TWO_KINDS & (
    select(_kind(_Other))
    .where(_OF_ANOTHER_KIND)
    .group_by(_kind(_Other))
    .having(func.count(_Other.pocket.distinct()) >= _WITH_OTHERS)
    .correlate(Captures)
    .exists()
)
IS_DOUBTED: Final[ColumnElement[bool]] = or_(
    _IS_ELSEWHERE,
    _STANDS_FOR_ANOTHER,
    *(func.coalesce(of(_FIRST_PLACE) != _ITS_PLACE, literal_column("FALSE")) for of in (_of_first, _of_first_alike)),
    _HAS_THE_PIXELS_OF_ANOTHER,
    _IS_OF_NO_MAJORITY,
)
"""Whether a photograph may not show its pocket as it is now: then it is not believed if it shows no damage.

It came in a check of another head or operation, or of fewer pockets; it was also submitted for another pocket of its
check or came before in another place, each by its bytes or its pixels; or it names another insert than most of its
check.
"""

_TAKEN_AGAIN: Final = (
    select(func.count() > func.count(Captures.pocket.distinct())).where(OF_CHECK).correlate(Checks).scalar_subquery()
)
MAY_CONTRADICT: Final[ColumnElement[bool]] = _MISPLACED | _SHARED | _OF_TWO_KINDS | _REPEATED | _TAKEN_AGAIN
"""Whether the captures of a check may contradict each other, as far as is known when they arrive: where
`db.line.check_answers.answer` finds that they do, at least, and also where a later photograph of a pocket has settled
it."""

_SAME_FRAME: Final = (
    select(Captures.check_id)
    .join(Verdicts, current_verdict())
    .where(OF_CHECK, Verdicts.frame.is_not(None))
    .group_by(Captures.check_id, Verdicts.frame)
    .having(_OF_SEVERAL_POCKETS)
    .correlate(Checks)
    .exists()
)
CONTRADICT_WHEN_JUDGED: Final[ColumnElement[bool]] = _SAME_FRAME | _REPEATED | _came_elsewhere(_of_first_alike)
"""The same of what is known when all captures are judged: their pixels, and what came at the same moment elsewhere."""


_OUTCOMES_OF: Final = Prepared(
    lambda *_: (
        select(Captures.check_id, Captures.pocket, Captures.outcome)
        .where(Captures.check_id.in_(bindparam("ids", expanding=True)))
        .order_by(Captures.ordered_at, Captures.capture_id)
    )
)


def shown(row: Sequence[Any]) -> Shown:
    """What a capture shows, by `SHOWN`."""
    image, region, frame, designation, ordered_at, received_at, check, *before = row
    firsts = tuple(_first(check, *of) for of in (before[:3], before[3:]) if of[0] is not None)
    return Shown(image, region, frame, designation, Times(ordered_at, received_at), firsts)


def outcomes_of_firsts(connection: Connection, shown: Iterable[Shown | None]) -> Mapping[UUID, Outcomes]:
    """What the checks were found to show in which some photographs came first.

    By their verdicts: what a person says of them later changes nothing that was answered since.
    """
    firsts = {first.check_id for of in shown if of is not None for first in of.firsts if first.check_id}
    outcomes: dict[UUID, dict[int, str | None]] = {check_id: {} for check_id in firsts}
    for check_id, pocket, outcome in _OUTCOMES_OF.execute(connection, ids=sorted(firsts)) if firsts else ():
        outcomes[check_id][pocket] = outcome
    return outcomes


def _first(check: str, place: str, ordered_at: datetime, received_at: datetime) -> First:
    machine, head, operation, pocket, of_check = place.split(_SEPARATOR)
    times = Times(ordered_at, received_at)
    return First((machine, head, operation), int(pocket), times, None if of_check == check else UUID(of_check))
