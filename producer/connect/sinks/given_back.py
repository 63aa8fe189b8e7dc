"""What a broker gives back of what it is to retain: by MQTT 3.1.1 it acknowledges what it throws away, too."""

from __future__ import annotations

import threading
import time
from typing import Final

import paho.mqtt.client as mqtt

WITHIN: Final = 5.0
"""Seconds in which what is retained comes back; by itself it does so with its acknowledgement."""

_NOT_GIVEN_BACK: Final = (
    'the broker acknowledges it and does not give it back: version = "3.1.1" has no word for what its rules refuse, or '
    "what is too large for it"
)


class GivenBack:
    """What is published on the topics that are looked at, and what of it has come back."""

    def __init__(self, client: mqtt.Client, changed: threading.Condition):
        """None is looked at yet; what has come is told by `changed`, whose lock whoever asks has."""
        self._client = client
        self._changed = changed
        self._wanted: str | None = None
        self._published: dict[str, tuple[bytes, float]] = {}  # by topic: the last text, and when that was
        self._came: dict[str, bytes] = {}
        self._topics: dict[int, str] = {}

    def look_at(self, wanted: str) -> None:
        """Look at what is published from now on by a filter."""
        self._client.message_callback_add(wanted, lambda _client, _data, message: self._hear(message))
        self._client.subscribe(wanted)
        self._wanted = wanted

    def look_away(self) -> None:
        """Look at nothing any more."""
        self._wanted = None
        for known in (self._published, self._came, self._topics):
            known.clear()

    def note(self, number: int, topic: str, text: bytes) -> None:
        """It was published, to be retained, by that number."""
        if self._wanted is not None and mqtt.topic_matches_sub(self._wanted, topic):
            self._published[topic] = text, time.monotonic()
            self._topics[number] = topic

    def may_come(self, number: int) -> bool:
        """Whether the last text on the topic of that number has not come, and may still."""
        topic = self._topics.get(number)
        return self._is_missing(topic) and time.monotonic() < self._published[topic or ""][1] + WITHIN

    def problem(self, number: int) -> str | None:
        """Why it is not retained; None where it is, as far as is known. It is asked once."""
        return _NOT_GIVEN_BACK if self._is_missing(self._topics.pop(number, None)) else None

    def _is_missing(self, topic: str | None) -> bool:
        return topic is not None and self._came.get(topic) != self._published[topic][0]

    def _hear(self, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            if not message.retain:  # that is of before
                self._came[message.topic] = bytes(message.payload)
            self._changed.notify_all()
