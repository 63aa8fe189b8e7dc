"""How the captures of one check may contradict each other: such a check is never "go".

A capture may be of another head or operation than the check's, or of a pocket above its size, and two may name two
kinds of insert. A photograph may have been submitted for two pockets: then one of them was not seen. It is the same
photograph if its bytes are the same, or its pixels, whatever else the file holds. Pockets may share a photograph where
each has its own region of it. And a photograph may be that of an earlier operation, or of an earlier run of this one:
it says nothing of this one (decisions 27 and 29). Nor does one of before a backup was restored say anything of now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.line.second_run import A_RUN, SecondRun, Times
from producer.contract.names import designation_form
from producer.contract.places import OperationPlace
from producer.contract.reasons import checks as why
from producer.contract.reasons.template import Reason


class First(NamedTuple):
    """The first capture of a photograph: where, in which pocket and when it came, and in which check; None: the same.

    In the same check, and of a part of the photograph, the pocket is the capture's own (`shared` looks at those).
    """

    place: OperationPlace
    pocket: int
    times: Times
    check_id: UUID | None


class Shown(NamedTuple):
    """What a capture shows: the digest of its file and its region, and that of its pixels where it was measured.

    `times` says when it came, and `firsts` where a photograph of these very bytes first did, and one of these pixels.
    """

    image: str
    region: str | None = None
    frame: int | None = None
    designation: str | None = None
    times: Times | None = None
    firsts: Sequence[First] = ()


Outcomes = Mapping[int, str | None]
"""What the pockets of a check were found to be; None: that is not known yet."""


class Doubt(NamedTuple):
    """Why photographs of a check cannot be believed, in words, and of which pockets."""

    why: Reason
    pockets: Collection[int]


def elsewhere(check: OperationPlace, capture: OperationPlace) -> Reason | None:
    """The other place of a capture, in words, if it is not of its check's place; None if it is."""
    machine, head, operation = capture
    if machine != check[0]:
        return why.MACHINE(machine=machine, head=head)
    if head != check[1]:
        return why.HEAD(head=head)
    return why.OPERATION(operation=operation) if operation != check[2] else None


def shared(pictures: Mapping[int, Shown]) -> list[Doubt]:
    """The pockets that share one and the same picture.

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
    return [Doubt(why.SHARED(pockets=group), group) for group in alike]


def of_two_kinds(designations: Mapping[int, str]) -> list[Doubt]:
    """The pockets that name another insert than most pockets of their check; all if no insert has a majority."""
    pockets: dict[str, set[int]] = defaultdict(set)
    names: dict[str, str] = {}
    for pocket, designation in sorted(designations.items()):
        pockets[names.setdefault(designation_form(designation), designation)].add(pocket)
    if len(pockets) < 2:
        return []
    most = max(map(len, pockets.values()))
    usual = [of for of in pockets.values() if len(of) == most]
    other = {*designations} - (usual[0] if len(usual) == 1 else set())
    return [Doubt(why.TWO_KINDS(designations=sorted(pockets)), other)]


def new_pockets(pictures: Mapping[int, Shown]) -> set[int]:
    """The pockets whose photograph came in no check before this one."""
    return {of for of, picture in pictures.items() if all(first.check_id is None for first in picture.firsts)}


def repeated(
    check: OperationPlace, pictures: Mapping[int, Shown], new: Collection[int], earlier: Mapping[UUID, Outcomes]
) -> list[Doubt]:
    """The pockets whose photograph is that of another operation, head, pocket or run, for which it came before.

    Args:
        check: the place of the check.
        pictures: the newest photograph of each pocket that nothing else speaks against.
        new: the pockets of the check that were photographed for it.
        earlier: the checks in which its old photographs came first.
    """
    before: dict[Reason, dict[int, datetime]] = defaultdict(dict)
    for pocket, first, picture in [(of, first, shown) for of, shown in pictures.items() for first in shown.firsts]:
        if first.place != check:
            before[_in_full(check, first.place)][pocket] = first.times.ordered_at
        elif first.pocket != pocket:
            before[why.POCKET(pocket=first.pocket)][pocket] = first.times.ordered_at
        elif first.check_id is not None and (
            (picture.times is not None and first.times.apart(picture.times) > A_RUN)
            or not _is_completed(earlier.get(first.check_id, {}), new)
        ):
            before[why.EARLIER_CHECK()][pocket] = first.times.ordered_at
    return [
        Doubt(
            (why.REPEATED if len(pockets) == 1 else why.SEVERAL_REPEATED)(
                pockets=pockets, before=of, at=min(pockets.values())
            ),
            pockets.keys(),
        )
        for of, pockets in sorted(before.items())
    ]


def _is_completed(earlier: Outcomes, new: Collection[int]) -> bool:
    """Whether a check gives an earlier one of the same run the photographs that it lacked, and only those.

    What is intact needs no new photograph: one shows that another run has begun.
    """
    return bool(new) and all(earlier.get(pocket, "missing") not in ("intact", None) for pocket in new)


def of_two_runs(second: SecondRun | None) -> list[Doubt]:
    """The pockets that were photographed in an earlier run only, whose `check_id` another run was given too."""
    if second is None:
        return []
    first, again, old = second
    reason = why.TWO_RUNS if len(old) == 1 else why.SEVERAL_OF_TWO_RUNS
    times = {"first": first.times.ordered_at, "again": again.times.ordered_at}
    return [Doubt(reason(pocket=again.pocket, **times, old=old), old)]


def of_before_a_restore(pictures: Mapping[int, Shown], restored_at: datetime | None) -> list[Doubt]:
    """The pockets whose photograph came before a backup was restored: what was seen since then is lost."""
    if restored_at is None:
        return []
    old = {of for of, picture in pictures.items() if picture.times and picture.times.received_at < restored_at}
    return [Doubt(why.BEFORE_A_RESTORE(at=restored_at, pockets=old), old)] if old else []


def in_words(
    size: int, beyond: Collection[int], others: Iterable[tuple[Reason, int]], doubts: Iterable[Doubt]
) -> Reason | None:
    """The contradiction between captures of a check, in words; None if they agree.

    Args:
        size: of the check.
        beyond: pockets above it.
        others: where each capture is of that is not of the check's place, and its pocket.
        doubts: what else cannot be believed.
    """
    parts = [why.BEYOND(pockets=beyond, size=size)] if beyond else []
    by_place: dict[Reason, set[int]] = defaultdict(set)
    for place, pocket in others:
        by_place[place].add(pocket)
    parts += [why.ELSEWHERE(pockets=of, place=place) for place, of in sorted(by_place.items())]
    parts += [doubt.why for doubt in doubts]
    return why.CONTRADICTION(parts=parts) if parts else None


def _in_full(check: OperationPlace, place: OperationPlace) -> Reason:
    """An operation, with its head and machine where they are not the check's."""
    head = elsewhere(check, place) if place[:2] != check[:2] else None
    if head is None:
        return why.OPERATION(operation=place[2])
    return why.OPERATION_ELSEWHERE(operation=place[2], place=head)
