"""Plant events: CloudEvents whose id says what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema

from producer.contract.answers import Remaining
from producer.contract.json_schema import schema_text
from producer.contract.plant_event import PLANT_EVENTS, plant_event
from tests.integration.plant import check, fault, verdict

SCHEMA = Path(__file__).parents[4] / "producer" / "contract" / "schemas" / "event.schema.json"


def test_every_kind_fits_the_schema_that_is_kept() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text("event")
    schema = json.loads(schema_text("event"))
    for answer in (verdict(1), check("replace", [1]), fault()):
        said = plant_event("plant-1", "station-1", answer, 1.5)
        jsonschema.validate(json.loads(said.as_json()), schema)
        assert PLANT_EVENTS.validate_json(said.as_json()) == said
        assert said.type == f"inserts.{answer.kind}"


def test_the_same_answer_is_the_same_event_whenever_it_is_given() -> None:
    answer = verdict(1)
    first, again = plant_event("p", "s", answer, 1.0), plant_event("p", "s", answer, 2.0)
    assert first.id == again.id
    lasting = answer.model_copy(update={"remaining": Remaining(operations=5, low=2, high=9, lives=4)})
    assert plant_event("p", "s", lasting, 2.0).id == first.id, "a later fit makes no other event"
    assert first.id != plant_event("p", "other", answer, 1.0).id
    assert first.id != plant_event("p", "s", answer.model_copy(update={"outcome": "damaged"}), 1.0).id


def test_the_example_in_the_document_is_an_event() -> None:
    document = (SCHEMA.parents[3] / "docs" / "connect.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"<!-- example: plant event -->\n```json\n(.*?)\n```", document)
    assert json.loads(PLANT_EVENTS.validate_json(example).as_json())["data"]["replace"] == [7]
