"""Plant events: CloudEvents whose id says what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema

from producer.contract.answers import Remaining
from producer.contract.insert_change import InsertChange
from producer.contract.json_schema import schema_text
from producer.contract.plant_event import PLANT_EVENTS, plant_event
from tests.integration.plant import check, fault, verdict
from tests.plant_news import NEWS, RUN

SCHEMA = Path(__file__).parents[4] / "producer" / "contract" / "schemas" / "event.schema.json"


def test_every_kind_fits_the_schema_that_is_kept() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text("event")
    schema = json.loads(schema_text("event"))
    for answer in (verdict(1), check("replace", [1]), fault(), *NEWS):
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


def test_a_fault_run_that_goes_on_is_the_same_event_until_it_ends() -> None:
    first = plant_event("p", "station-1", RUN, 1.0)
    assert (
        plant_event("p", "station-1", RUN.model_copy(update={"captures": 9, "reason": "blurred"}), 2.0).id == first.id
    )
    assert plant_event("p", "station-1", RUN.model_copy(update={"ended": True}), 2.0).id != first.id
    assert (first.source, first.subject, first.machine) == ("/inserts/p/station-1", "station-1", None)


def test_what_is_of_no_station_has_the_plant_for_its_source() -> None:
    assert {plant_event("p", "", news, 1.0).source for news in NEWS if news is not RUN} == {"/inserts/p"}


def test_the_example_in_the_document_is_an_event() -> None:
    document = (SCHEMA.parents[3] / "docs" / "connect.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"<!-- example: plant event -->\n```json\n(.*?)\n```", document)
    assert json.loads(PLANT_EVENTS.validate_json(example).as_json())["data"]["replace"] == [7]
    (example,) = re.findall(r"<!-- example: insert change -->\n```json\n(.*?)\n```", document)
    assert InsertChange.model_validate_json(example).pocket == 7
