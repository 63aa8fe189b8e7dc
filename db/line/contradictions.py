"""What the captures of one check may say against each other: none that contradicts itself is ever "go".

A capture may be of another head or operation than the check's, or of a pocket above its size. And a photograph may have
been handed in as that of two pockets: one of them was not seen then. Pockets may share a photograph where each has its
own region of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from sqlalchemy import ColumnElement, String, case, cast, func, literal_column, select

from db.schema.tables import Captures, Checks

Place = tuple[str, str, str]
"""A machine, a head and an operation."""

PICTURE: Final = Captures.image_sha256 + func.coalesce(cast(Captures.region, String), literal_column("''"))
"""What a capture shows: the photograph, and which part of it."""

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
_SHARED: Final = (
    select(Captures.check_id)
    .where(OF_CHECK)
    .group_by(Captures.check_id, PICTURE)
    .having(func.min(Captures.pocket) < func.max(Captures.pocket))
    .correlate(Checks)
    .exists()
)
MAY_CONTRADICT: Final[ColumnElement[bool]] = _MISPLACED | _SHARED
"""Whether the captures of a check may contradict each other: where `db.line.check_answers.answer` finds that they do,
at least, and also where a later photograph of a pocket has settled it."""


def elsewhere(check: Place, capture: Place) -> str | None:
    """Of what else a capture is, in words, where it is not of its check's place; None where it is."""
    machine, head, operation = capture
    if machine != check[0]:
        return f"machine {machine}, head {head}"
    if head != check[1]:
        return f"head {head}"
    return f"operation {operation}" if operation != check[2] else None


def shared(pictures: Mapping[int, str]) -> list[set[int]]:
    """The pockets, by picture, of which one and the same picture stands for several."""
    pockets: dict[str, set[int]] = defaultdict(set)
    for pocket, picture in pictures.items():
        pockets[picture].add(pocket)
    return sorted((of for of in pockets.values() if len(of) > 1), key=min)


def in_words(
    size: int, beyond: Collection[int], others: Iterable[tuple[str, int]], same: Iterable[Collection[int]]
) -> str | None:
    """What captures of a check say against each other, in words; None where they agree.

    Args:
        size: of the check.
        beyond: pockets above it.
        others: where each capture is of that is not of the check's place, and its pocket.
        same: sets of pockets of which each has one picture.
    """
    said = [f"{_pockets(beyond)} of a check of {size}"] if beyond else []
    by_place: dict[str, set[int]] = defaultdict(set)
    for place, pocket in others:
        by_place[place].add(pocket)
    said += [f"{_pockets(of)} of {place}" for place, of in sorted(by_place.items())]
    said += [f"one and the same photograph of {_pockets(of)}" for of in same]
    return f"contradiction: {'; '.join(said)}" if said else None


def _pockets(pockets: Collection[int]) -> str:
    return f"pocket{'s' if len(pockets) > 1 else ''} {', '.join(map(str, sorted(pockets)))}"
