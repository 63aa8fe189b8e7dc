"""Topics hold any name, and no name can be a wildcard or another level."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from producer.connect.sinks.topics import Topics
from producer.contract.plant_event import plant_event
from tests.integration.plant import check, fault, verdict
from tests.plant_news import NEWS


def test_topics_of_states_and_events() -> None:
    topics = Topics("plant-1")
    said = plant_event("plant-1", "s", verdict(7), 0.0)
    assert topics.of_event(said) == "inserts/plant-1/mill-1/H12/event"
    assert topics.of_state(said) == "inserts/plant-1/mill-1/H12/pocket/7/state"
    assert topics.of_state(plant_event("plant-1", "s", check(), 0.0)) == "inserts/plant-1/mill-1/H12/state"
    told = plant_event("plant-1", "s", fault(), 0.0)
    assert (topics.of_event(told), topics.of_state(told)) == ("inserts/plant-1/fault", None)
    of_plant = [plant_event("plant-1", "station-1", news, 0.0) for news in NEWS]
    assert [(topics.of_event(news), topics.of_state(news)) for news in of_plant] == [
        ("inserts/plant-1/event", "inserts/plant-1/model/champion"),
        ("inserts/plant-1/event", "inserts/plant-1/fault-run/station-1"),
        ("inserts/plant-1/mill-1/H12/event", "inserts/plant-1/mill-1/H12/state"),
    ]
    refused = NEWS[-1].model_copy(update={"refused": "nothing is known of it"})
    assert topics.of_state(plant_event("plant-1", "", refused, 0.0)) is None


def test_names_that_a_topic_cannot_hold_stand_in_their_safe_form() -> None:
    said = plant_event("Werk +1", "s", verdict(1, machine="Fräse #2", head="H+"), 0.0)
    topic = Topics("Werk +1").of_event(said)
    assert topic.count("/") == 4
    assert not set("+# ä") & set(topic)


def test_home_assistant_learns_of_the_head() -> None:
    topic, text = Topics("plant-1").discovery(check())
    told = json.loads(text)
    assert topic == f"homeassistant/sensor/{told['unique_id']}/config"
    assert told["availability_topic"] == "inserts/plant-1/available"
    assert told["device"]["name"] == "mill-1 H12"


def written(template: str, **values: Any) -> str:
    """What Home Assistant makes of a template: it has this environment, and filters of its own, which none asks for."""
    return ImmutableSandboxedEnvironment().from_string(template).render(values)


def test_home_assistant_s_templates_read_what_stands_at_the_topic_they_name() -> None:
    topics, said = Topics("plant-1"), check("replace", [2, 3])
    event = plant_event("plant-1", "s", said, 0.0)
    told, payload = json.loads(topics.discovery(said)[1]), json.loads(event.as_json())
    assert told["state_topic"] == told["json_attributes_topic"] == topics.of_state(event)
    assert written(told["value_template"], value_json=payload) == "replace"
    assert json.loads(written(told["json_attributes_template"], value_json=payload)) == payload["data"]
    # What is taken away is an empty message, of which there is no `value_json`: "None" is a state that is not known.
    assert [written(told[f"{what}_template"]) for what in ("value", "json_attributes")] == ["None", "{}"]


def test_the_recipe_s_automation_asks_for_somebody_at_replace_alone() -> None:
    document = (Path(__file__).parents[5] / "docs" / "integration.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"<!-- example: home assistant -->\n```yaml\n(.*?)```", document, re.DOTALL)
    (automation,) = yaml.safe_load(text)["automation"]
    (trigger,), (action,) = automation["triggers"], automation["actions"]
    for state, replace in (("go", []), ("review", []), ("replace", [2, 3])):
        event = plant_event("plant-1", "s", check(state, replace), 0.0)
        assert trigger["topic"] == Topics("plant-1").of_state(event)
        payload = json.loads(event.as_json())
        begins = written(trigger["value_template"], value_json=payload) == trigger["payload"]
        assert begins is (state == "replace")
        if begins:
            said = written(action["data"]["message"], trigger={"payload_json": payload})
            assert said == "mill-1 H12: replace 2, 3"
