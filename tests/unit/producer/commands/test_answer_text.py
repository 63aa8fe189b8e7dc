from __future__ import annotations

import time

from producer.commands.answer_text import sentence
from producer.contract.answers import CheckAnswer
from producer.contract.event import new_id
from producer.station.station import Received


def test_why_a_check_is_to_be_looked_at_stands_in_its_line() -> None:
    reason = "contradiction: pocket 3 of a check of 2"
    place = {"check_id": new_id(), "machine": "mill-1", "head": "H1", "operation": "op-1", "size": 2}
    answer = CheckAnswer.model_validate(
        {**place, "state": "review", "review": [2, 3], "missing": [2], "reason": reason}
    )
    said = sentence(Received(answer, time.monotonic()))
    assert said == f"mill-1 H1 op-1: review, look at 2, 3 (2 never photographed) ({reason})"
