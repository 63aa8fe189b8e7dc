"""What a broker retains of ours, read in pieces: of what is too much at once it drops the rest, and does not say so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from producer.connect.sinks.mqtt_connection import IN_FLIGHT, PROBE, MqttConnection
from producer.connect.sinks.sink import SinkAway
from producer.connect.sinks.topics import Topics

FEW_HEADS: Final = 100
"""Heads whose pockets are read at once, some thousands; of more they are read number by number."""

MOST_POCKETS: Final = 999
"""The highest number of a pocket."""

LEFT_OUT: Final = 100
"""Numbers that no pocket has, one after another, behind which there are no more."""


NOT_RETAINED: Final = "the broker acknowledges it and does not retain it: do its rules refuse it, or its size?"
"""What is said of a state that a broker throws away which cannot say so."""

_UNREAD: Final = "the broker does not let us read what it retains of ours"


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
    unread = (
        f"the broker does not let us read {topics.available.rpartition('/')[0]}/#, and its old retained messages there"
    )
    retained = [topic for one in topics.of_states() for topic in _by(connection, one, unread)]
    if sum("/pocket/" not in topic for topic in {*known, *retained}) <= FEW_HEADS:
        return retained + _by(connection, topics.of_pockets(), unread)
    number = last = 0
    while number < min(MOST_POCKETS, last + LEFT_OUT):
        number += 1
        with_number = _by(connection, topics.of_pockets(number), unread)
        last = number if any(PROBE not in topic for topic in with_number) else last
        retained += with_number
    return retained


def unretained(connection: MqttConnection, topics: Topics, published: Mapping[str, str]) -> set[str]:
    """The topics at which a broker retains something else than was published there.

    By MQTT 3.1.1 it has no word for it: it acknowledges what its rules refuse, or is too large, and throws it away.

    Args:
        connection: to the broker.
        topics: the site's.
        published: the last text of each topic; empty where nothing is to be retained.

    Raises:
        SinkAway: the broker does not let us read them, or the connection was lost.
    """
    others: set[str] = set()
    names, probe = [*published], topics.of_states()[0].replace("+", PROBE)
    for first in range(0, len(names), IN_FLIGHT):
        piece = names[first : first + IN_FLIGHT]
        messages = connection.read([*piece, probe], probe, _UNREAD)
        held = {message.topic: bytes(message.payload).decode() for message in messages if message.retain}
        others |= {topic for topic in piece if held.get(topic, "") != published[topic]}
    if names:
        connection.publish_all([(probe, "")])
    return others


def take_away(connection: MqttConnection, topics: Topics, retained: Collection[str]) -> set[str]:
    """Take away what a broker retains that cannot say what it refuses; the topics at which that may stay.

    Those are the ones at which we do not hear what we publish: it throws it away, or does not let us read it.

    Raises:
        SinkAway: the broker does not let us read what it retains, or the connection was lost.
    """
    stays: set[str] = set()
    names, probe = [*retained], topics.of_states()[0].replace("+", PROBE)
    for first in range(0, len(names), IN_FLIGHT):
        piece = names[first : first + IN_FLIGHT]
        messages = connection.read([*piece, probe], probe, _UNREAD, piece)
        stays |= {*piece} - {message.topic for message in messages if not message.retain and not message.payload}
    if names:
        connection.publish_all([(probe, "")])
    return stays


def _by(connection: MqttConnection, wanted: str, unread: str) -> list[str]:
    """The topics by one filter. What we retain there ourselves is among them: else others are kept from us too."""
    probe = wanted.replace("+", PROBE)
    connection.publish_probe(probe)
    heard = [(message.topic, message.retain) for message in connection.read([wanted], probe, unread) if message.payload]
    if (probe, True) not in heard:
        raise SinkAway(unread)
    return [topic for topic, is_retained in heard if is_retained]
