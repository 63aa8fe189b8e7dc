"""Which of the answers to the checks of one head is its state.

One answer is not all that is known of a head: a check of a few pockets, or one photograph, says nothing of the others.
So an answer counts until another one supersedes it: the next answer of its own check, or the answer of a check that is
sent later, began no earlier, and has all of its pockets or all pockets of the head.

What is shown may release the head. So while an answer counts that is not a `go`, no `go` is shown. A `go` is shown only
if all answers that count are known to be current, and one is of the whole head.

A check of several pockets has those from 1 to its size. A check of a single photograph is of any pocket, and names it
if it is not a `go`. The head register, or else the largest check, says how many pockets a head has. Only the register
can say that a head has one.

An insert change takes the head's `go` away, whatever check it is of, until a check that began after it has its pocket.
Until then the head has no state: the change is its state, and no check is. Of two changes of one pocket each counts, as
one of them may be withdrawn. If the one is withdrawn that ended what was said of a pocket which no run has, that counts
again. So does a verdict that is not `intact`,
until its check is answered. That check may have been answered before and be pending again, or be another head's and
never be answered for this one; then a check of its pocket that began after the verdict settles it. So does a hold, by
which the line says all else that such a check has against its head. It says which answer of its check ends it.

A stand-in for a file that is no pocket's makes its check one pocket larger than the head. Its verdict says that nothing
was photographed there, so that the next run of the whole head settles it, as it does a pocket that is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from producer.connect.deliveries.head_sizes import highest_pocket, named_pockets
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.plant_event import PlantEvent
from producer.contract.plant_news import Hold, InsertChangeAnswer
from producer.contract.reasons.recognition import recognised
from producer.contract.reasons.stations import OF_STAND_INS

Numbered = tuple[int, PlantEvent]
"""An answer with the number of its delivery, which rises from one to the next."""

Against = VerdictAnswer | Hold
"""What is said against a head beside its checks' answers."""

_NO_PLACE: Final = datetime.min.replace(tzinfo=UTC)


class HeadAnswers:
    """The answers that count of one head."""

    def __init__(self, declared: int | None):
        """There are none yet; `declared` is how many pockets the head has by the head register, if that says so."""
        self._declared = declared
        self._checks: list[Numbered] = []
        self._changes: dict[tuple[int, datetime], Numbered] = {}
        self._against: dict[tuple[str, UUID, int], Numbered] = {}
        self._stand_ins: dict[tuple[UUID, int], Numbered] = {}
        self._outdated: dict[int, tuple[Numbered, list[Numbered]]] = {}

    @property
    def counting(self) -> list[Numbered]:
        """All that count, or that count again if a change is withdrawn."""
        outdated = [one for change, by_it in self._outdated.values() for one in (change, *by_it)]
        said = [*self._checks, *self._changes.values(), *self._against.values(), *self._stand_ins.values()]
        return [*{one[0]: one for one in (*outdated, *said)}.values()]

    def take(self, answer: Numbered) -> bool:
        """Have an answer count, and none that it looks over; whether anything else counts now."""
        if isinstance(answer[1].data, InsertChangeAnswer):
            return self._take_change(answer)
        if isinstance(answer[1].data, Against):
            if (of := _stand_in(answer)) is not None:
                self._stand_ins[of] = answer
            return self._take_against(answer)
        before = next((one for one in self._checks if _check(one).check_id == _check(answer).check_id), None)
        others = [one for one in self._checks if one is not before]
        is_overtaken = before is not None and not _is_next(answer, before)
        if is_overtaken:
            return False
        if any(self._looks_over(one, answer) for one in others):
            return self._settle_against(answer)
        self._checks = [*others, answer]
        self._settle(answer)
        return True

    def _settle(self, answer: Numbered) -> None:
        """Have nothing count that an answer looks over or has seen since."""
        before = [*self._checks, *self._against.values()]
        self._settle_against(answer)
        over = [one for one in self._checks if one is not answer and self._looks_over(answer, one)]
        self._checks = [one for one in self._checks if one not in over]
        gone = {_check(one).check_id for one in over}
        self._stand_ins = {of: one for of, one in self._stand_ins.items() if of[0] not in gone}
        left = [*self._checks, *self._against.values()]
        for (pocket, at), change in [*self._changes.items()]:
            if not self._has_seen(answer, change):
                continue
            del self._changes[pocket, at]
            # Of a pocket that it has it knows more than what came before.
            by_it = [one for one in before if one not in left and pocket in _pockets(one)]
            if pocket > _check(answer).size and by_it:
                self._outdated[pocket] = change, by_it

    def _settle_against(self, answer: Numbered) -> bool:
        before = len(self._against)
        self._against = {of: one for of, one in self._against.items() if not self._settles(answer, one)}
        return len(self._against) < before

    def _take_against(self, answer: Numbered) -> bool:
        news = _against(answer)
        of_check = (_check(one) for one in self._checks if _check(one).check_id == news.check_id)
        # Another worker was faster. A hold says itself which answer ends it.
        is_named = isinstance(news, VerdictAnswer) and any(news.pocket in named_pockets(check) for check in of_check)
        of = news.kind, news.check_id, news.pocket
        is_overtaken = of in self._against and _place_against(answer) < _place_against(self._against[of])
        if is_named or is_overtaken or any(self._settles(one, answer) for one in self._checks):
            return False
        self._against[of] = answer
        return True

    def _settles(self, answer: Numbered, against: Numbered) -> bool:
        """Whether an answer of the same check knows what was said against the head, or has seen the insert since."""
        check, news = _check(answer), _against(against)
        if check.check_id != news.check_id:
            return self._has_seen(answer, against)
        if isinstance(news, VerdictAnswer):
            return answer[0] > against[0]
        return news.revision is not None and check.revision > news.revision

    def _take_change(self, answer: Numbered) -> bool:
        change = _change(answer)
        of = change.pocket, _at(answer)
        if change.withdrawn:
            outdated = self._outdated.get(change.pocket)
            if outdated is None or _at(outdated[0]) != _at(answer):
                return self._changes.pop(of, None) is not None
            del self._outdated[change.pocket]
            taken = [self.take(one) for one in outdated[1]]
            return any(taken)
        before = self.counting
        self._changes[of] = answer
        for one in self._checks:  # one that began later may have come before it
            self._settle(one)
        return self.counting != before

    def last(self, is_vouched_for: Callable[[Numbered], bool]) -> Numbered | None:
        """The head's state, of several pockets if there is one: a check, or a change that leaves it no state.

        None if it is unknown.
        """
        if not_go := [one for one in self._checks if _check(one).state != "go"]:
            return max(filter(is_vouched_for, not_go), key=_place, default=None)
        if no_go := [*self._changes.values(), *map(without_state, self._against.values())]:
            return max(filter(is_vouched_for, no_go), default=None, key=lambda one: one[0])
        largest = self._declared or max([2, *(_check(one).size for one in self._checks)])
        is_whole = any(_check(one).size >= largest for one in self._checks)
        if not is_whole or not all(map(is_vouched_for, self._checks)):  # what was lost may be of what one of them says
            return None
        return max((one for one in self._checks if _check(one).size >= min(largest, 2)), key=_place)

    def _has_seen(self, answer: Numbered, earlier: Numbered) -> bool:
        """Whether a check has looked at the insert that a change, a verdict or a hold tells of."""
        check, pocket = _check(answer), _pocket(earlier)
        begins_after = answer[0] > earlier[0]
        if check.begun_at is not None:  # what a hold tells of may have come after a check that began at that moment
            is_one_moment = check.begun_at == _at(earlier) and not isinstance(earlier[1].data, Hold)
            begins_after = check.begun_at > _at(earlier) or is_one_moment
        is_whole = self._declared is not None and check.size >= self._declared
        has_it = pocket <= check.size or (is_whole and self._is_settled(answer, earlier))
        return begins_after and has_it and (check.size > 1 or self._declared == 1)

    def _is_settled(self, answer: Numbered, earlier: Numbered) -> bool:
        """Whether what tells of a pocket that the register does not have, and no run can see, ends with a whole run.

        A photograph of it shows some insert: that counts until a person says that the insert was changed.
        """
        last_news = earlier[1].data
        is_photograph = isinstance(last_news, VerdictAnswer) or (
            isinstance(last_news, Hold) and last_news.revision is None
        )
        return not is_photograph or self._is_changed(_pocket(earlier), _at(earlier), answer)

    def _is_changed(self, pocket: int, since: datetime, until: Numbered) -> bool:
        """Whether an insert was changed since a moment, and before a check began."""
        changes = (change for change in self._changes.values() if _pocket(change) == pocket and _at(change) >= since)
        return any(self._has_seen(until, change) for change in changes)

    def _looks_over(self, later: Numbered, earlier: Numbered) -> bool:
        new, old = _check(later), _check(earlier)
        begins_before = new.begun_at and old.begun_at and new.begun_at < old.begun_at
        if later[0] < earlier[0] or begins_before:
            return False
        if self._declared is not None and new.size >= self._declared:
            # Beyond what the register says a photograph may be missing, for there is no pocket; damage is somewhere.
            unseen = {*old.missing, *(pocket for check_id, pocket in self._stand_ins if check_id == old.check_id)}
            beyond = {pocket for pocket in named_pockets(old) - unseen if pocket > self._declared}
            return all(self._is_changed(pocket, earlier[1].time, later) for pocket in beyond)
        if new.size > 1:
            return new.size >= highest_pocket(old)
        return old.size == 1 and (old.state == "go" or named_pockets(new) == named_pockets(old))


def without_state(against: Numbered) -> Numbered:
    """What holds of a head against which something was said: no state, in the words of a change that leaves it none."""
    number, event = against
    news = _against(against)
    nothing = InsertChangeAnswer(
        change_id=news.check_id, machine=news.machine, head=news.head, pocket=news.pocket, by="", via=""
    )
    return number, event.model_copy(update={"type": "inserts.insert_change", "data": nothing})


def _stand_in(answer: Numbered) -> tuple[UUID, int] | None:
    """The check and the pocket of a verdict on a stand-in; None if it is on a photograph, or no verdict."""
    verdict = answer[1].data
    if not isinstance(verdict, VerdictAnswer) or verdict.outcome != "unusable":
        return None
    reason = recognised(verdict.reason or "")
    is_stand_in = reason is not None and reason.template in OF_STAND_INS
    return (verdict.check_id, verdict.pocket) if is_stand_in else None


def _at(answer: Numbered) -> datetime:
    """The place of a change or a hold in the order of photographs; of a verdict when it was given, which is later."""
    match answer[1].data:
        case VerdictAnswer(judged_at=at) | Hold(at=at):
            return at
    return _change(answer).at or _NO_PLACE


def _place_against(answer: Numbered) -> tuple[int, datetime]:
    """The place of a verdict, or of a hold, among those of the same check and pocket."""
    return getattr(answer[1].data, "revision", None) or 0, _at(answer)


def _pocket(answer: Numbered) -> int:
    return (_against if isinstance(answer[1].data, Against) else _change)(answer).pocket


def _pockets(answer: Numbered) -> set[int]:
    """Those of which an answer to a check, a verdict or a hold says that they are no go."""
    data = answer[1].data
    return {*named_pockets(data)} if isinstance(data, CheckAnswer) else {_pocket(answer)}


def _against(answer: Numbered) -> Against:
    assert isinstance(answer[1].data, Against)  # noqa: S101 (no other is kept there)
    return answer[1].data


def _change(answer: Numbered) -> InsertChangeAnswer:
    assert isinstance(answer[1].data, InsertChangeAnswer)  # noqa: S101 (`subjects_of` has no other)
    return answer[1].data


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
