"""A head at a glance: what is in each pocket now, what the last operations left, and what its last check said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line import head_checks
from db.line.checks import Check
from db.line.head_checks import Place
from db.line.insert_changes import is_unseen
from db.schema.tables import Captures, Pockets
from producer.contract.names import IMPORTED
from producer.contract.vocabulary import OUTCOME_OF, OUTCOMES, Outcome, State

PocketWord = Literal[Outcome, "fault", "missing", "pending", "new", "empty"]
"""What a pocket shows: an outcome; a fault, or no photograph, where its check says so; not judged yet; an insert that
a person has put there since its newest photograph; nothing."""

POCKET_WORDS: Final[tuple[PocketWord, ...]] = (*OUTCOMES, "fault", "missing", "pending", "new", "empty")
"""Every one of them."""


_MISSING: Final[PocketWord] = "missing"
_UNSEEN: Final = frozenset({"missing", "fault"})
"""What a check says of a pocket that it has no photograph of to judge."""

_SHOWS_NOTHING: Final = _UNSEEN | {"unusable"}
"""What a check says of a pocket of whose insert it shows nothing: what an earlier photograph showed stands."""

_DOUBTFUL: Final = _UNSEEN | {"unsure", "unusable"}
"""What a person must look at."""


@dataclass(frozen=True)
class Operation:
    """A check of the head, and what it left in each pocket that was looked at."""

    check: Check
    words: Mapping[int, PocketWord]


@dataclass(frozen=True)
class HeadAnswer:
    """What a head comes to: go, or which pockets are to be replaced and looked at.

    `new` are those with an insert that no photograph shows yet.
    """

    state: State | Literal["new"]
    replace: Sequence[int]
    review: Sequence[int]
    new: Sequence[int]


@dataclass(frozen=True)
class HeadOverview:
    """A head; its newest operation first.

    `words` is what the newest capture of each pocket shows, or that its last check has none; `last_at` the place in the
    order of the newest of all, None where there is none. `operations` are the last ones, as many as were asked for.
    """

    machine: str
    head: str
    words: Mapping[int, PocketWord]
    last_at: datetime | None
    operations: Sequence[Operation]

    @property
    def counts(self) -> Counter[PocketWord]:
        """How many pockets show each word."""
        return Counter(self.words.values())

    @property
    def answer(self) -> HeadAnswer | None:
        """The answer of the newest check, with what earlier ones left in the pockets that it has not seen.

        A check may be of a single photograph: that says nothing of the other pockets. Nor does it say anything of an
        insert that was changed since: a head with one is no GO. None where there is no check.
        """
        if not self.operations:
            return None
        newest = self.operations[0]
        check = newest.check
        earlier = {p: word for p, word in self.words.items() if newest.words.get(p, _MISSING) in _SHOWS_NOTHING}
        new = {pocket for pocket, word in self.words.items() if word == "new"}
        replace = sorted({*check.replace, *(pocket for pocket, word in earlier.items() if word == "damaged")} - new)
        doubtful = {*check.review, *(pocket for pocket, word in earlier.items() if word in _DOUBTFUL)}
        review = sorted(doubtful - new - set(replace))
        state: State | Literal["new"] = check.state
        if state != "pending":
            waits = "pending" in earlier.values()  # what nobody has judged yet is no GO either
            state = "replace" if replace else "review" if review else "pending" if waits else "new" if new else state
        return HeadAnswer(state, replace, review, sorted(new))

    @property
    def size(self) -> int:
        """How many pockets it has, as far as its captures tell."""
        of_check = self.operations[0].check.size if self.operations else 0
        return max([of_check, *self.words])


def heads(session: Session) -> list[Place]:
    """Machine and head of all that were ever seen on the line, the one that was photographed last first."""
    newest = func.max(Pockets.ordered_at)
    query = select(Pockets.machine, Pockets.head).where(Pockets.machine != IMPORTED)
    query = query.group_by(Pockets.machine, Pockets.head).order_by(newest.desc(), Pockets.machine, Pockets.head)
    return [(machine, head) for machine, head in session.execute(query)]


def overviews(session: Session, places: Sequence[Place], *, operations: int = 5) -> list[HeadOverview]:
    """Some heads, each with so many of its last operations: as many queries for fifty as for one."""
    if not places:
        return []
    last: dict[Place, list[Operation]] = {place: [] for place in places}
    for check, known in head_checks.newest_of_heads(session, places, operations):
        last[check.machine, check.head].append(Operation(check, _words(check, known.outcomes)))
    words: dict[Place, dict[int, PocketWord]] = {place: {} for place in places}
    last_at: dict[Place, datetime] = {}
    for machine, head, outcome, review, is_new, numbers, at in _NOW.execute(
        session.connection(), places=head_checks.as_value(places)
    ):
        place = (machine, head)
        words[place] |= dict.fromkeys(map(int, numbers.split(",")), "new" if is_new else _word(outcome, review))
        last_at[place] = max(at, last_at.get(place, at))
    for place, of_head in last.items():
        words[place] |= _not_seen(of_head, words[place])
    return [HeadOverview(*place, words[place], last_at.get(place), last[place][:operations]) for place in places]


def _not_seen(operations: Sequence[Operation], now: Mapping[int, PocketWord]) -> dict[int, PocketWord]:
    """The pockets of which the last check that was to look at them has no photograph, or a fault.

    What an earlier photograph shows is not of `now`, but for damage: that stays until the insert is changed. Where the
    check has one that nobody can use and that is not what the pocket shows, a stand-in was handed in for it.
    """
    latest = {pocket: word for operation in reversed(operations) for pocket, word in operation.words.items()}
    stood_in = {pocket for pocket, word in latest.items() if word == "unusable" != now.get(pocket)}
    unseen = {pocket: word for pocket, word in latest.items() if word in _UNSEEN} | dict.fromkeys(stood_in, _MISSING)
    return {pocket: word for pocket, word in unseen.items() if now.get(pocket) not in ("damaged", "new")}


def _now(dialect: str, _: int) -> Select[*tuple[Any, ...]]:
    """What the newest capture of each pocket of some heads came to: a row for all pockets that are alike."""
    of = head_checks.given(dialect)
    alike = Pockets.machine, Pockets.head, Captures.outcome, Captures.review, is_unseen()
    return (
        select(*alike, func.aggregate_strings(cast(Pockets.pocket, String), ","), func.max(Pockets.ordered_at))
        .select_from(of)
        .join(Pockets, (Pockets.machine == of.c.machine) & (Pockets.head == of.c.head))
        .join(Captures, Captures.capture_id == Pockets.capture_id)
        .group_by(*alike)
    )


_NOW: Final = Prepared(_now)


def _words(check: Check, outcomes: Mapping[int, str | None]) -> dict[int, PocketWord]:
    """What a check left in each pocket that was photographed, or should have been."""
    words: dict[int, PocketWord] = {pocket: outcome or "pending" for pocket, outcome in outcomes.items()}  # type: ignore[misc]
    for pocket in check.review:
        if words.get(pocket, "pending") == "pending":
            words[pocket] = "missing" if pocket in check.missing else "fault"
    return words


def _word(outcome: str | None, review: str | None) -> PocketWord:
    word: PocketWord = OUTCOME_OF[review] if review is not None else outcome or "pending"  # type: ignore[assignment]
    return word
