"""A plant event as a result of OPC UA."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from producer.connect.opcua.result import ResultEvaluation, result_of
from producer.contract.answers import Answer
from producer.contract.event import new_id
from producer.contract.plant_event import plant_event
from producer.contract.plant_news import Hold
from tests.integration.plant import check, fault, verdict
from tests.plant_news import NEWS

HOLD = Hold(check_id=new_id(), machine="mill-1", head="H12", pocket=3, at=datetime(2026, 11, 29, tzinfo=UTC))
SIMULATED = frozenset({"sim-mill"})


@pytest.mark.parametrize(
    ("answer", "word", "said", "partial", "message"),
    [
        (verdict(2), "OK", "intact", True, "mill-1/H12, pocket 2: intact"),
        (verdict(2, "damaged"), "NotOK", "damaged", True, "mill-1/H12, pocket 2: damaged"),
        (verdict(2, "unsure"), "NotDecidable", "unsure", True, "mill-1/H12, pocket 2: unsure"),
        (verdict(2, "unusable"), "Undefined", "unusable", True, "mill-1/H12, pocket 2: unusable"),
        (check("go"), "OK", "go", False, "mill-1/H12: go"),
        (check("replace", [2, 3]), "NotOK", "replace", False, "mill-1/H12: replace 2, 3"),
        (check("review"), "NotDecidable", "review", False, "mill-1/H12: review"),
        (fault(), "Undefined", "fault", True, "not judged: image_missing"),
        (HOLD, "Undefined", "hold", True, "mill-1/H12, pocket 3: no go, by a check that has no answer for this head"),
        (NEWS[0], "Undefined", "promoted", False, "champion: m-1"),
        (NEWS[1], "Undefined", "began", False, "photographs of station-1 cannot be judged, one after another"),
        (NEWS[2], "Undefined", "changed", False, "mill-1/H12, pocket 3: the insert was changed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_answer_has_its_word(answer: Answer, word: str, said: str, partial: bool, message: str) -> None:
    result = result_of(plant_event("p", "station-1", answer, 0.0), SIMULATED)
    assert (result.evaluation.word, result.answer, result.partial, result.message) == (word, said, partial, message)
    assert not result.simulated


def test_the_words_are_those_of_the_standard() -> None:
    assert [each.word for each in ResultEvaluation] == ["Undefined", "OK", "NotOK", "NotDecidable"]


def test_what_a_simulated_machine_says_is_simulated() -> None:
    assert result_of(plant_event("p", "station-1", check(machine="sim-mill"), 0.0), SIMULATED).simulated
