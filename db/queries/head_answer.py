"""What a head comes to: its pockets' words, its last operations, and the one answer that follows from both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from db.line.checks import Check
from db.line.head_checks import Span
from db.queries.pockets_now import PocketWord
from producer.contract.vocabulary import State

HeadState = State | Literal["new", "stale"]
"""A head's word: its answer's, or that its photographs are too old to say something about now."""

UNSEEN: Final = frozenset({"missing", "fault"})
"""Words of a check for a pocket of which it has no photograph to judge."""

_DOUBTFUL: Final = UNSEEN | {"unsure", "unusable"}
"""What a person must look at."""


@dataclass(frozen=True)
class HeadCheck:
    """A check of the head, what it left in each pocket that was looked at, and when its photographs came."""

    check: Check
    words: Mapping[int, PocketWord]
    span: Span


@dataclass(frozen=True)
class HeadAnswer:
    """A head's answer: go, or which pockets must be replaced or looked at.

    `new` are those with an insert that no photograph shows yet.
    """

    state: State | Literal["new"]
    replace: Sequence[int]
    review: Sequence[int]
    new: Sequence[int]


@dataclass(frozen=True)
class HeadOverview:
    """A head; its newest operation first.

    `words` is what the newest capture of each pocket shows, or that its last check has none, or doubts it. `last_at` is
    the place in the order of the newest of all, None where there is none; `fresh_at` that of the pocket that will be
    too old first, and `old` are those that are already. `operations` are the last ones, as many as were asked for.
    `size` is how many pockets it has, by register, checks and photographs. `awaited` are the pockets that a check in
    progress waits for. `doubts` names for each pocket the check that does not believe its newest photograph, or that
    came later and has none.
    """

    machine: str
    head: str
    words: Mapping[int, PocketWord]
    last_at: datetime | None
    operations: Sequence[HeadCheck]
    size: int
    fresh_at: datetime | None = None
    old: Collection[int] = ()
    awaited: Collection[int] = ()
    doubts: Mapping[int, Check] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[PocketWord]:
        """How many pockets show each word."""
        return Counter(self.words.values())

    @property
    def answer(self) -> HeadAnswer | None:
        """The answer of the newest check, with what earlier ones left in the pockets that it has not seen.

        A check may be of a single photograph, which says nothing about the other pockets. It says nothing either about
        an insert that was changed since: a head with such an insert is no GO. None if there is no check.
        """
        if not self.operations:
            return None
        check = self.operations[0].check
        new = self._showing("new")
        replace = {*check.replace, *self._showing("damaged")} - new
        review = {*check.review, *self._showing(*_DOUBTFUL)} - new - replace
        state: State | Literal["new"] = check.state
        if state != "pending":
            # What nobody has judged yet is no GO either, nor what a check that is still under way has not come to.
            waits = self._showing("pending") or self.awaited
            state = "replace" if replace else "review" if review else "pending" if waits else "new" if new else state
        return HeadAnswer(state, sorted(replace), sorted(review), sorted(new))

    @property
    def state(self) -> HeadState:
        """Its word: `stale` if a pocket is and no person is needed, which no time ends; `pending` without an answer."""
        answer = self.answer
        state: HeadState = answer.state if answer else "pending"
        return "stale" if self.old and state not in ("replace", "review") else state

    @property
    def is_aged(self) -> bool:
        """Whether what a person has to do at it is of long ago, and no photograph says anything about now."""
        return bool(self.old) and self.fresh_at is None and self.state != "stale"

    def _showing(self, *words: str) -> set[int]:
        return {pocket for pocket, word in self.words.items() if word in words}
