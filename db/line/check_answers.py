"""The answer of a check, from the outcomes of its captures and from its faults."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from db.line import contradictions
from db.line.contradictions import Doubt, Outcomes, Shown, new_pockets
from db.line.second_run import RunPhotograph, second_run
from producer.contract.event import node
from producer.contract.places import OperationPlace
from producer.contract.reasons.template import Reason
from producer.contract.vocabulary import State


class PocketState(NamedTuple):
    """One capture of a check: its place in the order (`db.line.capture_order`) and its outcome.

    `outcome` is that of its newest review, else of its current verdict, else None: it waits for both. Id and moment are
    compared only, so they may be as a driver gives them. `elsewhere` names the head or operation where it is not the
    check's. `shown` says what it shows, where that was asked.
    """

    capture_id: Any
    pocket: int
    ordered_at: Any
    outcome: str | None
    elsewhere: Reason | None = None
    shown: Shown | None = None


@dataclass(frozen=True)
class Trouble:
    """An open or dismissed fault of a check: of a capture, or of a pocket whose event could not be used."""

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
    reason: Reason | None = None


@dataclass(frozen=True)
class KnownPockets:
    """What is known about a check's pockets.

    `outcomes` has the pockets that were photographed, each with the outcome of its newest capture; None: it is not
    judged. `faulty` are the pockets that wait for no verdict, because they have an open fault. `elsewhere` are the
    captures of another head or operation: they show no pocket of this check. `doubts` say which photographs cannot be
    believed. An unusable photograph raises no doubt; nor does damage of an earlier operation, which is reported anyway.
    """

    outcomes: Mapping[int, str | None]
    faulty: Collection[int] = ()
    elsewhere: Collection[PocketState] = ()
    doubts: Collection[Doubt] = ()


def gathered(
    states: Iterable[PocketState],
    troubles: Iterable[Trouble] = (),
    place: OperationPlace | None = None,
    size: int = 1,
    restored_at: datetime | None = None,
    earlier: Mapping[UUID, Outcomes] = MappingProxyType({}),
) -> KnownPockets:
    """What the captures and faults of a check of this `place` and `size` say about its pockets.

    Of a pocket that was captured more than once the newest capture counts: of one outbox that with the highest id, as
    one that was lost and is sent again seems to be newer by a clock that is ahead. A fault sends its pocket to review,
    unless its capture was judged after all, or was followed by a newer one; a capture of another pocket has only the
    same id. One of which no pocket is known may be of any that was photographed, and stands for the last pocket where
    none was. What came before a backup was `restored_at` is no go; known damage is reported anyway. `earlier` are the
    checks in which some of these photographs came first.
    """
    of_id: dict[Any, PocketState] = {}
    newest: dict[int, PocketState] = {}
    in_order = sorted(states, key=lambda capture: (capture.ordered_at, capture.capture_id))
    for capture in in_order:
        of_id[capture.capture_id] = capture
        if capture.elsewhere is not None:
            continue
        before = newest.get(capture.pocket)
        if before is None or not _taken_before(capture, before):
            newest[capture.pocket] = capture
    of_any = {pocket for pocket, capture in newest.items() if capture.outcome is not None} if newest else {size}
    faulty: set[int] = set()
    for trouble in troubles:
        of = of_id.get(trouble.capture_id)
        if of is None or trouble.pocket not in (None, of.pocket):
            faulty |= of_any if trouble.pocket is None else {trouble.pocket}
        elif of.outcome is None and newest.get(of.pocket) is of:
            faulty.add(of.pocket)
    seen = {of: c.shown for of, c in newest.items() if c.shown is not None and c.outcome != "unusable"}
    intact = {of: shown for of, shown in seen.items() if newest[of].outcome == "intact"}
    is_damaged = any(capture.outcome == "damaged" for capture in newest.values())
    designations = {of: c.shown.designation for of, c in newest.items() if c.shown and c.shown.designation}
    return KnownPockets(
        {pocket: capture.outcome for pocket, capture in newest.items()},
        faulty,
        [capture for capture in in_order if capture.elsewhere is not None],
        [
            *contradictions.shared(seen),
            *contradictions.of_two_kinds(designations),
            *(contradictions.repeated(place, intact, new_pockets(seen), earlier) if place is not None else ()),
            *contradictions.of_before_a_restore({} if is_damaged else intact, restored_at),
            *contradictions.of_two_runs(second_run(size, filter(None, map(_taken, in_order)))),
        ],
    )


def _taken_before(one: PocketState, other: PocketState) -> bool:
    """Whether the ids of two captures say that `one` was taken first: those of one outbox that say which it is."""
    first, second = (UUID(str(of.capture_id)) for of in (one, other))
    return first < second and node(first) == node(second) is not None


def _taken(capture: PocketState) -> RunPhotograph | None:
    """A photograph of a pocket of its check, where it is known when it came."""
    of = capture.shown
    if capture.elsewhere is not None or of is None or of.times is None:
        return None
    return RunPhotograph(capture.pocket, of.image, of.times, capture.outcome == "intact")


def answer(size: int, known: KnownPockets, *, awaited: bool) -> CheckSummary:
    """The answer of a check of `size` inserts.

    Without `awaited`, pockets without a photograph are no longer waited for.
    """
    faulty = set(known.faulty)
    seen = known.outcomes.keys() | faulty
    unanswered = {pocket for pocket, outcome in known.outcomes.items() if outcome is None} - faulty
    # A photograph that is handed in by itself is a check of one insert, whose pocket need not be the first.
    wanted = seen if size == 1 and len(seen) == 1 else set(range(1, size + 1))
    absent = wanted - seen
    missing = set() if awaited else absent
    beyond = {pocket for pocket in seen - wanted if pocket > size}
    others = [(capture.elsewhere, capture.pocket) for capture in known.elsewhere if capture.elsewhere is not None]
    reason = contradictions.in_words(size, beyond, others, known.doubts)
    flagged = {pocket: outcome for pocket, outcome in known.outcomes.items() if outcome not in ("intact", None)}
    replace = {pocket for pocket, outcome in flagged.items() if outcome == "damaged"}
    doubted = (doubt.pockets for doubt in known.doubts)
    review = faulty.union(flagged, missing, beyond, {pocket for _, pocket in others}, *doubted) - replace
    judged = len(wanted - absent - unanswered)
    state: State = "go"
    if unanswered or (awaited and absent):
        state = "pending"
    elif missing or reason:
        state = "review"
    elif replace:
        state = "replace"
    elif review:
        state = "review"
    return CheckSummary(state, tuple(sorted(replace)), tuple(sorted(review)), judged, tuple(sorted(missing)), reason)
