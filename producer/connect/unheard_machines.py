"""Machines and heads that the connector's file names and the line has never mentioned.

A mistyped name delivers nothing, and nothing else would say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from producer.connect.configuration.connector_file import Configured, PlcSink
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.plant_event import PlantEvent

_HEARD: Final = "places heard"
_NAMED: Final = "places named"
"""Notes of the delivery log, as JSON: a list, and one for each system."""


def note_configured(log: DeliveryLog, sinks: Iterable[tuple[str, Configured]]) -> None:
    """Note which machines, and for a PLC heads, the connector's file names."""
    log.keep({}, {_NAMED: json.dumps({name: _named(sink) for name, sink in sinks})})


def _named(sink: Configured) -> list[str]:
    if isinstance(sink, PlcSink):
        return [f"{head.machine}/{head.head}" for head in sink.head]
    return [*(sink.machines or ())]


def note_heard(log: DeliveryLog, events: Iterable[PlantEvent]) -> dict[str, str]:
    """The note to be kept with these events; none where they are of no machine or head that is new."""
    heard = set(_heard(log))
    places = {place for event in events if event.machine is not None for place in (event.machine, event.order)}
    return {} if places <= heard else {_HEARD: json.dumps(sorted(heard | places))}


def unheard(log: DeliveryLog) -> Mapping[str, list[str]]:
    """Of each system the machines or heads that it is to be told of, and the line has not spoken of yet."""
    heard = set(_heard(log))
    named: dict[str, list[str]] = json.loads(log.note(_NAMED) or "{}")
    return {name: [place for place in places if place not in heard] for name, places in named.items()}


def _heard(log: DeliveryLog) -> list[str]:
    heard: list[str] = json.loads(log.note(_HEARD) or "[]")
    return heard
