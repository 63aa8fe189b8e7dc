from __future__ import annotations

import time

from producer.commands import answer_text
from producer.commands.check_report import as_values, sentence
from producer.contract.answers import CheckAnswer
from producer.contract.event import new_id
from producer.station.head_check import CheckResult
from producer.station.station import Received

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
    assert sentence(result) == "REVIEW  look at pockets 2, 3, 4 (3, 4 never photographed)"
    assert as_values(result, [], [])["missing"] == [3, 4]
    assert result.exit_code == 2
    said = answer_text.sentence(Received(ANSWER, time.monotonic()))
    assert said == "Fräse 3 H12 op-1: review, look at 2, 3, 4 (3, 4 never photographed)"
