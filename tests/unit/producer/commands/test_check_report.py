from __future__ import annotations

import time
from datetime import UTC, datetime

from producer.commands import answer_text
from producer.commands.check_report import as_values, in_lines, sentence
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent, new_id
from producer.station.head_check import CheckResult
from producer.station.station import Received
from tests.support import message

ANSWER = CheckAnswer(
    check_id=new_id(),
    machine="Fräse 3",
    head="H12",
    operation="op-1",
    size=4,
    state="review",
    review=[2, 3, 4],
    missing=[3, 4],
)


def test_pockets_that_were_never_photographed_are_named_to_the_person() -> None:
    result = CheckResult(ANSWER.check_id, 4, [], {}, ANSWER)
    assert sentence(result) == "REVIEW  look at pockets 1, 2, 3, 4 (3, 4 never photographed)"
    assert as_values(result, [], [])["missing"] == [1, 2, 3, 4], "here nothing was handed in"
    assert result.exit_code == 2
    said = answer_text.sentence(Received(ANSWER, time.monotonic()))
    assert said == "Fräse 3 H12 op-1: review, look at 2, 3, 4 (3, 4 never photographed)"


def test_what_the_events_of_a_check_say_against_each_other_is_said() -> None:
    reason = "its events say 4 pockets and 5 pockets"
    answer = ANSWER.model_copy(update={"review": [5], "missing": [], "reason": reason})
    result = CheckResult(ANSWER.check_id, 4, [], {}, answer)
    assert sentence(result) == f"REVIEW  look at pockets 1, 2, 3, 4, 5: {reason}"
    assert as_values(result, [], [])["reason"] == reason
    assert as_values(CheckResult(ANSWER.check_id, 4, [], {}, None), [], [])["reason"] is None


def test_the_kind_of_damage_is_told_where_the_model_knows_it() -> None:
    check = new_id()
    events = [CaptureEvent.from_message(message(pocket=pocket, check_id=str(check))) for pocket in (1, 2, 3, 4)]
    verdicts = {
        event.capture_id: VerdictAnswer(
            capture_id=event.capture_id,
            check_id=check,
            machine=event.machine,
            head=event.head,
            pocket=event.pocket,
            outcome="intact" if event.pocket == 2 else "damaged",
            label={1: "worn", 4: "broken"}.get(event.pocket),
            judged_at=datetime.now(UTC),
        )
        for event in events
    }
    received = {capture: Received(verdict, time.monotonic()) for capture, verdict in verdicts.items()}
    answer = ANSWER.model_copy(update={"state": "replace", "replace": [1, 3, 4], "review": [], "missing": []})
    for finished in (answer, None):
        result = CheckResult(check, 4, [(event, 0.0) for event in events], received, finished)
        assert result.damage == {1: "worn", 4: "broken"}
        assert as_values(result, [], [])["damage"] == {1: "worn", 4: "broken"}
        assert "REPLACE pockets 1 (worn), 3, 4 (broken)" in sentence(result)
    lines = [answer_text.sentence(received[event.capture_id]) for event in events]
    assert lines == ["pocket 1: damaged, worn", "pocket 2: intact", "pocket 3: damaged", "pocket 4: damaged, broken"]


def test_why_the_model_could_not_decide_is_told_once_for_all_pockets_of_one_reason() -> None:
    assert in_lines({1: "unlike anything learnt", 2: "no model", 4: "unlike anything learnt"}) == [
        "pockets 1, 4: unsure, unlike anything learnt",
        "pocket 2: unsure, no model",
    ]
