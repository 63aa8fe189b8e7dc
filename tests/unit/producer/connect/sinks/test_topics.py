"""Topics hold any name, and no name can be a wildcard or another level."""

from __future__ import annotations

import json

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
        ("inserts/plant-1/mill-1/H12/event", None),
    ]


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
