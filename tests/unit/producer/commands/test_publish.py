from __future__ import annotations

from datetime import UTC, datetime

import pytest

from producer.commands.publish import _exit_code
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.event import new_id
from producer.contract.vocabulary import CheckState, Outcome
from producer.station.station import Received


@pytest.mark.parametrize(
    ("outcome", "state", "code"),
    [
        ("intact", None, 0),
        ("intact", "go", 0),
        ("intact", "replace", 1),
        ("intact", "review", 2),
        ("damaged", None, 1),
        ("damaged", "go", 1),
        ("damaged", "review", 2),
        ("unsure", "go", 2),
    ],
)
def test_a_go_of_its_check_makes_no_good_photograph(outcome: Outcome, state: CheckState | None, code: int) -> None:
    place = {"check_id": new_id(), "machine": "mill-1", "head": "H12"}
    verdict = VerdictAnswer(**place, capture_id=new_id(), pocket=1, outcome=outcome, judged_at=datetime.now(UTC))
    checked = None if state is None else CheckAnswer(**place, operation="op-1", size=2, state=state)
    assert _exit_code(Received(verdict, 0.0), checked) == code
