"""What a broker retains of ours, read in pieces: of what is too much at once it drops the rest, and does not say so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from producer.connect.sinks.mqtt_connection import PROBE, MqttConnection
from producer.connect.sinks.sink import SinkAway
from producer.connect.sinks.topics import Topics

FEW_HEADS: Final = 100
"""Heads whose pockets are read at once, some thousands; of more they are read number by number."""

MOST_POCKETS: Final = 999
"""The highest number of a pocket."""

LEFT_OUT: Final = 100
"""Numbers that no pocket has, one after another, behind which there are no more."""


def retained_topics(connection: MqttConnection, topics: Topics, known: Collection[str]) -> list[str]:
    """The topics of states of which the broker retains something, while it says that we are away.

    Args:
        connection: to the broker.
        topics: the site's.
        known: topics that we know of ourselves.

    Raises:
        SinkAway: the broker does not let us read them, or the connection was lost.
    """
    if refused := connection.publish_all([(topics.available, "offline")]):
        raise SinkAway(refused[0])
    retained = connection.retained(topics.of_states(), topics.available)
    if sum("/pocket/" not in topic for topic in {*known, *retained}) <= FEW_HEADS:
        return retained + connection.retained(topics.of_pockets(), topics.available)
    number = last = 0
    while number < min(MOST_POCKETS, last + LEFT_OUT):
        number += 1
        with_number = connection.retained(topics.of_pockets(number), topics.available)
        last = number if any(PROBE not in topic for topic in with_number) else last
        retained += with_number
    return retained
