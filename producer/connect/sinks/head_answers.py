"""Which of the answers to the checks of one head is its state.

One answer is not all that is known of a head: a check of a few pockets, or one photograph, says nothing of the others.
So an answer counts until another one supersedes it: the next answer of its own check, or the answer of a check that is
sent later, began no earlier, and has all of its pockets or all pockets of the head.

What is shown may release the head. So while an answer counts that is not a `go`, no `go` is shown. A `go` is shown only
if all answers that count are known to be current, and one is of the whole head.

A check of several pockets has those from 1 to its size. A check of a single photograph is of any pocket, and names it
if it is not a `go`. The head register, or else the largest check, says how many pockets a head has. Only the register
can say that a head has one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from producer.connect.deliveries.head_sizes import highest_pocket, named_pockets
from producer.contract.answers import CheckAnswer
from producer.contract.plant_event import PlantEvent

Numbered = tuple[int, PlantEvent]
"""An answer with the number of its delivery, which rises from one to the next."""

_NO_PLACE: Final = datetime.min.replace(tzinfo=UTC)


class HeadAnswers:
    """The answers that count of one head."""

    def __init__(self, declared: int | None):
        """There are none yet; `declared` is how many pockets the head has by the head register, if that says so."""
        self._declared = declared
        self.counting: list[Numbered] = []

    def take(self, answer: Numbered) -> bool:
        """Have an answer count, and none that it looks over; whether it does."""
        before = next((one for one in self.counting if _check(one).check_id == _check(answer).check_id), None)
        others = [one for one in self.counting if one is not before]
        is_overtaken = before is not None and not _is_next(answer, before)
        if is_overtaken or any(self._looks_over(one, answer) for one in others):
            return False
        self.counting = [*(one for one in others if not self._looks_over(answer, one)), answer]
        return True

    def last(self, is_vouched_for: Callable[[Numbered], bool]) -> Numbered | None:
        """The head's state, of several pockets if there is one; None if it is unknown."""
        if not_go := [one for one in self.counting if _check(one).state != "go"]:
            return max(filter(is_vouched_for, not_go), key=_place, default=None)
        largest = self._declared or max([2, *(_check(one).size for one in self.counting)])
        is_whole = any(_check(one).size >= largest for one in self.counting)
        if not is_whole or not all(map(is_vouched_for, self.counting)):  # what was lost may be of what one of them says
            return None
        return max((one for one in self.counting if _check(one).size >= min(largest, 2)), key=_place)

    def _looks_over(self, later: Numbered, earlier: Numbered) -> bool:
        new, old = _check(later), _check(earlier)
        begins_before = new.begun_at and old.begun_at and new.begun_at < old.begun_at
        if later[0] < earlier[0] or begins_before:
            return False
        if self._declared is not None and new.size >= self._declared:
            # Beyond what the register says a photograph may be missing, for there is no pocket; damage is somewhere.
            return all(pocket <= self._declared or pocket in old.missing for pocket in named_pockets(old))
        if new.size > 1:
            return new.size >= highest_pocket(old)
        return old.size == 1 and (old.state == "go" or named_pockets(new) == named_pockets(old))


def _check(answer: Numbered) -> CheckAnswer:
    assert isinstance(answer[1].data, CheckAnswer)  # noqa: S101 (no other is taken)
    return answer[1].data


def _is_next(answer: Numbered, before: Numbered) -> bool:
    """Whether of two answers to one check it is the later."""
    new, old = _check(answer), _check(before)
    if new.revision and old.revision and new.revision != old.revision:
        return new.revision > old.revision
    return answer[0] >= before[0]


def _place(answer: Numbered) -> tuple[bool, datetime, int]:
    check = _check(answer)
    return check.size > 1, check.begun_at or _NO_PLACE, answer[0]
