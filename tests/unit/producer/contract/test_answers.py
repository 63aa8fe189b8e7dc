from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import producer
from producer.contract.answers import (
    ANSWERS,
    STREAM_FIELD,
    CheckAnswer,
    FaultAnswer,
    VerdictAnswer,
    answer_in,
    station_entry,
)
from producer.contract.event import new_id

AT = "2026-11-22T10:00:00Z"
OLD = jsonschema.Draft202012Validator(
    json.loads(
        (Path(producer.__file__).parent / "contract" / "schemas" / "answer.v1.schema.json").read_text(encoding="utf-8")
    )
)
"""What a station of version 1 reads: its models forbid further fields, as this schema does."""


def verdict(**changes: Any) -> VerdictAnswer:
    of = {"capture_id": new_id(), "check_id": new_id(), "machine": "mill-3", "head": "H12", "pocket": 7}
    return VerdictAnswer.model_validate({**of, "outcome": "damaged", "judged_at": AT, **changes})


def check(**changes: Any) -> CheckAnswer:
    of = {"check_id": new_id(), "machine": "mill-3", "head": "H12", "operation": "op-1", "size": 3}
    return CheckAnswer.model_validate({**of, "state": "review", "review": [2, 3], **changes})


def told(answer: VerdictAnswer | FaultAnswer | CheckAnswer) -> dict[str, Any]:
    """The answer as a worker writes it onto the stream."""
    return dict(json.loads(answer.model_dump_json(exclude_none=True)))


@pytest.mark.parametrize("answer", [verdict(), check(), FaultAnswer(reason="x", at=AT), check(missing=[])])  # type: ignore[arg-type]
def test_a_station_of_version_1_reads_every_answer_that_says_nothing_new(answer: Any) -> None:
    assert told(answer)["schema_version"] == 1
    OLD.validate(told(answer))


@pytest.mark.parametrize(
    "answer",
    [verdict(machine="Fräse 3"), verdict(head="Kopf 2"), check(operation="nach dem Schruppen"), check(missing=[2, 3])],
)
def test_what_version_1_cannot_say_is_of_version_2(answer: Any) -> None:
    assert told(answer)["schema_version"] == 2
    assert not OLD.is_valid(told(answer))
    assert ANSWERS.validate_json(json.dumps(told(answer))) == answer


def test_what_a_check_contradicts_itself_in_is_told_and_else_nothing() -> None:
    reason = "contradiction: pocket 3 of a check of 2"
    assert (check(reason=reason).schema_version, json.loads(check(reason=reason).model_dump_json())["reason"]) == (
        2,
        reason,
    )
    assert "reason" not in check().model_dump()


def test_the_pockets_that_were_never_photographed_are_told() -> None:
    assert told(check(missing=[2, 3]))["missing"] == [2, 3]
    assert "missing" not in told(check())


def test_how_long_an_insert_lasts_is_of_version_3_and_is_left_out_for_a_station_of_any_age() -> None:
    lasting = verdict(outcome="intact", remaining={"operations": 12, "low": 7, "high": 19, "lives": 9})
    assert told(lasting)["schema_version"] == 3
    assert told(lasting)["remaining"] == {"operations": 12, "low": 7, "high": 19, "lives": 9}
    assert ANSWERS.validate_json(json.dumps(told(lasting))) == lasting
    of_station = lasting.without_remaining()
    OLD.validate(told(of_station))
    assert told(of_station) == {name: value for name, value in told(lasting).items() if name != "remaining"} | {
        "schema_version": 1
    }
    assert of_station.without_remaining() is of_station


def test_the_order_of_a_checks_answers_is_of_version_4_and_stands_beside_it_for_a_station_of_any_age() -> None:
    ordered = check(revision=3, begun_at=AT)
    assert {"schema_version": 4, "revision": 3, "begun_at": AT}.items() <= told(ordered).items()
    assert ANSWERS.validate_json(json.dumps(told(ordered))) == ordered
    entry = station_entry(ordered)
    OLD.validate(json.loads(entry[STREAM_FIELD]))
    read = answer_in({field: value.encode() for field, value in entry.items()})
    assert read == check(check_id=ordered.check_id, revision=3)


def test_an_answer_of_a_worker_of_before_has_no_revision() -> None:
    before = check()
    assert station_entry(before) == {STREAM_FIELD: before.model_dump_json(exclude_none=True)}
    assert answer_in({STREAM_FIELD: station_entry(before)[STREAM_FIELD].encode()}) == before
    assert not {"revision", "begun_at"} & told(before).keys()
