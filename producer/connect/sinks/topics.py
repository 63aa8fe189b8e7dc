"""The topics of MQTT, by the plant's site, and what Home Assistant is told of them."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.names import safe_name
from producer.contract.plant_event import PlantEvent
from producer.contract.plant_news import FaultRun, InsertChangeAnswer, ModelChange, Restored

DISCOVERY: Final = "homeassistant"
"""The first part of the topics that Home Assistant reads what there is from (its default)."""


class Topics:
    """The topics of one site. Names that a topic cannot hold stand in their safe form."""

    def __init__(self, site: str):
        self._root = f"inserts/{safe_name(site)}"
        self.site = site

    @property
    def available(self) -> str:
        """Retained `online` or `offline`: whether the connector is there."""
        return f"{self._root}/available"

    @property
    def insert_change(self) -> str:
        """Where others say that an insert was changed."""
        return f"{self._root}/command/insert-change"

    def of_event(self, event: PlantEvent) -> str:
        """Where every event appears once, not retained: below its head, or the site where it is of no head."""
        if isinstance(event.data, FaultAnswer):
            return f"{self._root}/fault"
        if isinstance(event.data, ModelChange | FaultRun | Restored):
            return f"{self._root}/event"
        return f"{self._head(event.data.machine, event.data.head)}/event"

    def of_state(self, event: PlantEvent) -> str | None:
        """Where the event is what holds now, retained: of a pocket, a head, a station or the models; None of others.

        A changed insert is what holds of its head: that has no state then.
        """
        match event.data:
            case VerdictAnswer(machine=machine, head=head, pocket=pocket):
                return f"{self._head(machine, head)}/pocket/{pocket}/state"
            case CheckAnswer(machine=machine, head=head) | InsertChangeAnswer(machine=machine, head=head, refused=None):
                return f"{self._head(machine, head)}/state"
            case FaultRun(station=station):
                return f"{self._root}/fault-run/{safe_name(station)}"
            case ModelChange(role=role):
                return f"{self._root}/model/{role}"
        return None

    def of_states(self) -> list[str]:
        """The topics of `of_state`, but for pockets, as a broker is asked for them: all are ours."""
        return [f"{self._root}/+/+/state", f"{self._root}/fault-run/+", f"{self._root}/model/+"]

    def of_pockets(self, number: int | None = None) -> str:
        """Those of pockets, or of all pockets with one number."""
        return f"{self._root}/+/+/pocket/{'+' if number is None else number}/state"

    def discovery(self, check: CheckAnswer) -> tuple[str, str]:
        """The topic and the text by which Home Assistant learns of the head that was checked.

        Form: https://www.home-assistant.io/integrations/mqtt#mqtt-discovery
        """
        head = self._head(check.machine, check.head)
        identity = _identity(head)
        text = {
            "name": None,
            "unique_id": identity,
            "state_topic": f"{head}/state",
            "value_template": "{{ value_json.data.state if value_json is defined else None }}",
            "json_attributes_topic": f"{head}/state",
            "json_attributes_template": "{{ (value_json.data if value_json is defined else {}) | tojson }}",
            "availability_topic": self.available,
            "icon": "mdi:saw-blade",
            "device": {
                "identifiers": [identity],
                "name": f"{check.machine} {check.head}",
                "model": "milling head",
                "suggested_area": self.site,
            },
            "origin": {"name": "insert-inspection"},
        }
        return self.sensor(f"{head}/state"), json.dumps(text, ensure_ascii=False)

    def sensor(self, state: str) -> str:
        """The topic by which Home Assistant learns of the head of the topic `state`."""
        return f"{DISCOVERY}/sensor/{_identity(state.removesuffix('/state'))}/config"

    def _head(self, machine: str, head: str) -> str:
        return f"{self._root}/{safe_name(machine)}/{safe_name(head)}"


def _identity(head: str) -> str:
    return "inserts_" + hashlib.sha256(head.encode()).hexdigest()[:16]
