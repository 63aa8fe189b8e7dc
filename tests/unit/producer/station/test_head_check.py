from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent, new_id
from producer.contract.vocabulary import CheckState, Outcome
from producer.station.head_check import CheckResult
from producer.station.station import Received
from tests.support import message

CHECK = new_id()


def event(pocket: int) -> CaptureEvent:
    return CaptureEvent.from_message(message(pocket=pocket, check_id=str(CHECK)))


def judged(event: CaptureEvent, outcome: Outcome) -> VerdictAnswer:
    return VerdictAnswer(
        capture_id=event.capture_id,
        check_id=CHECK,
        machine="m",
        head="h",
        pocket=event.pocket,
        outcome=outcome,
        judged_at=datetime.now(UTC),
    )


def unfinished(size: int, outcomes: dict[int, Outcome | None]) -> CheckResult:
    """A check without an answer, of whose pockets these were handed in; None: not answered yet."""
    events = {pocket: event(pocket) for pocket in outcomes}
    answers = {
        events[pocket].capture_id: Received(judged(events[pocket], outcome), time.monotonic())
        for pocket, outcome in outcomes.items()
        if outcome is not None
    }
    return CheckResult(CHECK, size, [(each, 0.0) for each in events.values()], answers, None)


@pytest.mark.parametrize(("state", "code"), [("go", 0), ("replace", 1), ("review", 2), (None, 2)])
def test_exit_codes_are_what_the_line_expects(state: CheckState | None, code: int) -> None:
    answer = state and CheckAnswer(check_id=CHECK, machine="m", head="h", operation="o", size=1, state=state)
    assert CheckResult(CHECK, 1, [(event(1), 0.0)], {}, answer).exit_code == code


@pytest.mark.parametrize(("state", "told"), [("go", "review"), ("replace", "replace"), ("review", "review")])
def test_a_doubted_pocket_makes_no_go(state: CheckState, told: str) -> None:
    answer = CheckAnswer(check_id=CHECK, machine="m", head="h", operation="o", size=2, state=state)
    result = CheckResult(CHECK, 2, [(event(1), 0.0), (event(2), 0.0)], {}, answer, frozenset({2}))
    assert (result.state, result.review) == (told, [2])
    assert unfinished(2, {1: "intact", 2: "intact"}).review == []


def test_a_pocket_that_was_not_handed_in_makes_a_review() -> None:
    result = unfinished(5, {1: "intact", 2: "damaged", 3: "unsure", 5: "intact"})
    assert (result.state, result.exit_code) == ("review", 2)
    assert (result.replace, result.review, result.missing) == ([2], [3, 4], [4])


def test_what_is_not_answered_in_time_must_be_looked_at() -> None:
    result = unfinished(3, {1: "intact", 2: None})
    assert (result.state, result.exit_code) == ("pending", 2)
    assert (result.replace, result.review, result.missing) == ([], [2, 3], [3])


def test_a_fault_must_be_looked_at() -> None:
    only = event(1)
    fault = FaultAnswer(capture_id=only.capture_id, reason="image_missing: …", at=datetime.now(UTC))
    result = CheckResult(CHECK, 2, [(only, 0.0)], {only.capture_id: Received(fault, 1.0)}, None)
    assert (result.state, result.replace, result.review) == ("review", [], [1, 2])


def test_a_check_that_nothing_was_handed_in_of_is_a_review() -> None:
    result = CheckResult(CHECK, 2, [], {}, None)
    assert (result.state, result.review) == ("review", [1, 2])


def test_the_servers_answer_is_the_checks() -> None:
    answer = CheckAnswer(
        check_id=CHECK, machine="m", head="h", operation="o", size=2, state="replace", replace=[1], review=[2]
    )
    result = CheckResult(CHECK, 2, [(event(1), 0.0), (event(2), 0.0)], {}, answer)
    assert (result.state, result.replace, result.review, result.missing) == ("replace", [1], [2], [])
