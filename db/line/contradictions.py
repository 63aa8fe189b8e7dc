"""What the captures of one check may say against each other: none that contradicts itself is ever "go".

A capture may be of another head or operation than the check's, or of a pocket above its size, and two may name two
kinds of insert. A photograph may have been handed in as that of two pockets: one of them was not seen then. It is the
same one by its bytes or, whatever the file holds besides, by its pixels. Pockets may share a photograph where each has
its own region of it. And a photograph may be that of an earlier operation: it says nothing of this one (decision 27).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, String, case, cast, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from db.line.rows import current_verdict
from db.schema.tables import Captures, Checks, Verdicts
from producer.contract.names import IMPORTED, designation_form

Place = tuple[str, str, str]
"""A machine, a head and an operation."""

_SEPARATOR: Final = "|"
"""Stands between the names of a place: no name may have it (`producer.contract.names`)."""


class Shown(NamedTuple):
    """What a capture shows: the digest of its file and its region, and that of its pixels where it was measured.

    `first` is where, in which pocket and when a photograph of these very bytes first came. In the same check, and of a
    part of the photograph, the pocket is the capture's own (`shared` looks at those).
    """

    image: str
    region: str | None = None
    frame: int | None = None
    designation: str | None = None
    first: tuple[Place, int, datetime] | None = None


class Doubt(NamedTuple):
    """Why photographs of a check cannot be believed, in words, and of which pockets."""

    why: str
    pockets: Collection[int]


def _place(of: Any) -> ColumnElement[str]:
    """A machine, a head and an operation, for a pocket to follow."""
    separator: ColumnElement[str] = literal_column(f"'{_SEPARATOR}'")
    place: ColumnElement[str] = of.machine + separator + of.head + separator + of.operation + separator
    return place


_First = aliased(Captures)
_OWN_POCKET: Final = or_(_First.check_id == Captures.check_id, Captures.region.is_not(None))
_FIRST_PLACE: Final = _place(_First) + cast(case((_OWN_POCKET, Captures.pocket), else_=_First.pocket), String)
_ITS_PLACE: Final = _place(Captures) + cast(Captures.pocket, String)


def _of_first(column: Any) -> Any:
    """A column of the first capture that came with just these bytes; what was imported is no photograph of the line."""
    return (
        select(column)
        .where(_First.image_sha256 == Captures.image_sha256, _First.machine != literal_column(f"'{IMPORTED}'"))
        .order_by(_First.received_at, _First.capture_id)
        .limit(1)
        .correlate(Captures)
        .scalar_subquery()
    )


_REGION: Final = cast(Captures.region, String)
SHOWN: Final = (
    Captures.image_sha256,
    _REGION,
    select(Verdicts.frame).where(current_verdict()).correlate(Captures).scalar_subquery(),
    Captures.insert_designation,
    _of_first(_FIRST_PLACE),
    _of_first(_First.ordered_at),
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
_WITH_REGION: Final = cast(Captures.pocket, String) + literal_column(f"'{_SEPARATOR}'") + _REGION
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
# As `producer.contract.names.designation_form`.
_DESIGNATION_FORM: Final = func.replace(func.replace(func.upper(Captures.insert_designation), " ", ""), "-", "")
_OF_TWO_KINDS: Final = (
    select(func.count(_DESIGNATION_FORM.distinct())).where(OF_CHECK).correlate(Checks).scalar_subquery() > 1
)
_REPEATED: Final = (
    select(Captures.capture_id).where(OF_CHECK, _of_first(_FIRST_PLACE) != _ITS_PLACE).correlate(Checks).exists()
)
MAY_CONTRADICT: Final[ColumnElement[bool]] = _MISPLACED | _SHARED | _OF_TWO_KINDS | _REPEATED
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
CONTRADICT_WHEN_JUDGED: Final[ColumnElement[bool]] = _SAME_FRAME | _REPEATED
"""The same of what is known when all captures are judged: their pixels, and what came at the same moment elsewhere."""


def shown(image: str, region: str | None, frame: int | None, designation: str | None, *first: Any) -> Shown:
    """What a capture shows, by `SHOWN`."""
    place, at = first
    if place is None:
        return Shown(image, region, frame, designation)
    machine, head, operation, pocket = place.split(_SEPARATOR)
    return Shown(image, region, frame, designation, ((machine, head, operation), int(pocket), at))


def elsewhere(check: Place, capture: Place) -> str | None:
    """Of what else a capture is, in words, where it is not of its check's place; None where it is."""
    machine, head, operation = capture
    if machine != check[0]:
        return f"machine {machine}, head {head}"
    if head != check[1]:
        return f"head {head}"
    return f"operation {operation}" if operation != check[2] else None


def shared(pictures: Mapping[int, Shown]) -> list[Doubt]:
    """The pockets of which one and the same picture stands for several.

    Of one file each must have a region of its own: a pocket without one would be all of it. What a region shows is
    compared by its pixels too.
    """
    of_one: dict[Any, set[int]] = defaultdict(set)
    whole = {picture.image for picture in pictures.values() if picture.region is None}
    for pocket, picture in pictures.items():
        of_one[picture.image if picture.image in whole else (picture.image, picture.region)].add(pocket)
        if picture.frame is not None:
            of_one[picture.frame].add(pocket)
    groups: list[set[int]] = []
    for pockets in of_one.values():
        touched = [group for group in groups if group & pockets]
        groups = [group for group in groups if group not in touched] + [pockets.union(*touched)]
    alike = sorted((group for group in groups if len(group) > 1), key=min)
    return [Doubt(f"one and the same photograph of {numbered(group)}", group) for group in alike]


def of_two_kinds(designations: Mapping[int, str]) -> list[Doubt]:
    """The pockets that name another insert than most pockets of their check do; all where none is of most."""
    pockets: dict[str, set[int]] = defaultdict(set)
    names: dict[str, str] = {}
    for pocket, designation in sorted(designations.items()):
        pockets[names.setdefault(designation_form(designation), designation)].add(pocket)
    if len(pockets) < 2:
        return []
    most = max(map(len, pockets.values()))
    usual = [of for of in pockets.values() if len(of) == most]
    other = {*designations} - (usual[0] if len(usual) == 1 else set())
    return [Doubt(f"inserts {' and '.join(sorted(pockets))} in one check", other)]


def repeated(check: Place, pictures: Mapping[int, Shown]) -> list[Doubt]:
    """The pockets whose photograph is that of another operation, head or pocket, which it was handed in for before."""
    before: dict[tuple[Place, int | None], dict[int, datetime]] = defaultdict(dict)
    for pocket, picture in pictures.items():
        if picture.first is None:
            continue
        place, of, at = picture.first
        if place != check:
            before[place, None][pocket] = at
        elif of != pocket:
            before[place, of][pocket] = at
    return [
        Doubt(
            f"the photograph of {numbered(pockets)} is that of "
            f"{_in_full(check, place) if other is None else f'pocket {other}'} at "
            f"{min(pockets.values()):%Y-%m-%d %H:%M} UTC: photograph {'it' if len(pockets) == 1 else 'them'} anew",
            pockets.keys(),
        )
        for (place, other), pockets in sorted(before.items(), key=lambda item: (item[0][0], item[0][1] or 0))
    ]


def in_words(
    size: int, beyond: Collection[int], others: Iterable[tuple[str, int]], doubts: Iterable[Doubt]
) -> str | None:
    """What captures of a check say against each other, in words; None where they agree.

    Args:
        size: of the check.
        beyond: pockets above it.
        others: where each capture is of that is not of the check's place, and its pocket.
        doubts: what else cannot be believed.
    """
    said = [f"{numbered(beyond)} of a check of {size}"] if beyond else []
    by_place: dict[str, set[int]] = defaultdict(set)
    for place, pocket in others:
        by_place[place].add(pocket)
    said += [f"{numbered(of)} of {place}" for place, of in sorted(by_place.items())]
    said += [doubt.why for doubt in doubts]
    return f"contradiction: {'; '.join(said)}" if said else None


def numbered(pockets: Collection[int]) -> str:
    """Pockets in words."""
    return f"pocket{'s' if len(pockets) > 1 else ''} {', '.join(map(str, sorted(pockets)))}"


def _in_full(check: Place, place: Place) -> str:
    """An operation, with its head and machine where they are not the check's."""
    head = elsewhere(check, place) if place[:2] != check[:2] else None
    return f"operation {place[2]}" if head is None else f"operation {place[2]} on {head}"
