"""One connection to a broker: what it acknowledges, what it refuses, and why it ended."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from producer.connect.configuration.connector_file import MqttSink
from producer.connect.deliveries.retry_schedule import LONGEST_PAUSE
from producer.connect.sinks.sink import SinkAway
from producer.connect.sinks.size_limit import SizeLimit, size_of

ANSWER_TIMEOUT: Final = 10.0
"""Seconds that the broker may take to take us in, or to acknowledge what it was given."""

KEEPALIVE: Final = 15
"""Seconds after which a silent connection is asked for a sign; half as much again, and it is lost."""

SESSION_KEPT: Final = 7 * 24 * 3600
"""Seconds for which a broker keeps what others tell us while we are away."""

AT_LEAST_ONCE: Final = 1
"""The quality of service of all that is published and heard."""

AT_MOST_ONCE: Final = 0
"""The quality of service by which is read what the broker retains: it is read again where something was lost."""

IN_FLIGHT: Final = 200
"""Messages that wait for the broker's word at once: some drop what goes beyond a thousand for one client."""

PROBE: Final = "_probe"
"""In place of a name in a topic: no name's safe form. What is retained there shows that we are let read the like."""

SHORT: Final = 30.0
"""Seconds: connections that last no longer, one after another, are taken from us by another client with our id."""

_TAKEN_OVER: Final = 142
"""The reason of brokers that say so; others, and all by MQTT 3.1.1, just end a connection."""


_BECAUSE_OF_A_MESSAGE: Final = (130, 149)
"""A protocol error, a packet that is too large: as brokers call one that is larger than they take."""


class MqttConnection:
    """One client for one connection, with what the broker has acknowledged."""

    def __init__(
        self,
        client: mqtt.Client,
        site: str,
        configuration: MqttSink,
        heard: Mapping[str, Callable[[bytes], None]],
        limit: SizeLimit,
    ):
        """Nothing is connected yet.

        Args:
            client: not used before.
            site: the plant's, for what is said.
            configuration: how the broker is reached.
            heard: what is done with what others publish, by topic.
            limit: how large a message the broker takes, as far as connections before have shown.
        """
        self.lost: SinkAway | None = None
        """Why it has ended; None where it stands."""
        self.was_short = False
        """Whether it ended soon after it was made, and the broker did not say why."""
        self._client = client
        self._site = site
        self._configuration = configuration
        self._heard = heard
        self._limit = limit
        self._waiting: dict[int, int] = {}  # the sizes of what is not acknowledged
        self._changed = threading.Condition()
        self._connected_at: float | None = None
        self._acknowledged: dict[int, str | None] = {}
        client.on_connect = lambda _client, _data, _flags, reason, properties: self._on_connect(reason, properties)
        client.on_disconnect = lambda _client, _data, _flags, reason, _properties: self._on_disconnect(reason)
        client.on_publish = lambda _client, _data, number, reason, _properties: self._on_publish(number, reason)
        client.on_message = lambda _client, _data, message: self._on_message(message)

    def connect(self) -> None:
        """Connect, and be taken in.

        Raises:
            SinkAway: the broker cannot be reached, or does not let us in.
        """
        parts = self._configuration.parts
        host, port = parts.hostname or "", parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._client.connect_timeout = ANSWER_TIMEOUT
        try:
            if self._configuration.version == "5" and self._configuration.commands:
                # The broker keeps for us what comes while we are away, as 3.1.1 does without a clean session.
                kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                kept.SessionExpiryInterval = SESSION_KEPT
                self._client.connect(host, port, keepalive=KEEPALIVE, clean_start=False, properties=kept)
            else:
                self._client.connect(host, port, keepalive=KEEPALIVE)
        except UnicodeError as error:
            raise SinkAway(f"{host} can be no computer's name: {error}") from error
        except OSError as error:  # TLS errors are of this kind too
            raise SinkAway(f"{host}:{port} cannot be reached: {error}") from error
        self._client.loop_start()
        try:
            self._wait(lambda: self._connected_at is not None, f"{host}:{port} does not answer{self._is_it_tls()}")
        except SinkAway:
            self._client.loop_stop()
            raise

    def publish(self, topic: str, text: str, *, retain: bool) -> int:
        """Give it to the broker; the number by which it acknowledges.

        Of what is too large for it nothing is given, so that it takes all else, and nothing stays retained there.

        Raises:
            SinkAway: it cannot be given.
        """
        if self.lost is not None:
            raise self.lost
        with self._changed:
            if (problem := self._limit.problem(topic, text)) is not None:
                if not retain:
                    number = min([0, *self._acknowledged]) - 1  # none of the client's
                    self._acknowledged[number] = problem
                    return number
                text = ""
        published = self._client.publish(topic, text.encode(), AT_LEAST_ONCE, retain=retain)
        if published.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise SinkAway(f"it cannot be published: {mqtt.error_string(published.rc)}")
        with self._changed:
            self._waiting[published.mid] = size_of(topic, text)
        return published.mid

    def publish_all(self, retained: Sequence[tuple[str, str]]) -> list[str]:
        """Publish these, to be retained; what the broker says of those that it refuses, with their topics.

        Raises:
            SinkAway: the connection was lost, or the broker did not acknowledge in time.
        """
        problems = []
        for first in range(0, len(retained), IN_FLIGHT):
            piece = retained[first : first + IN_FLIGHT]
            numbers = [(topic, self.publish(topic, text, retain=True)) for topic, text in piece]
            answers = [(topic, self.acknowledgement(number)) for topic, number in numbers]
            problems += [f"{topic}: {refused}" for topic, refused in answers if refused is not None]
        return problems

    def acknowledgement(self, number: int) -> str | None:
        """Wait for the broker's word on what was published by that number: None, or why it refuses it.

        Raises:
            SinkAway: the connection was lost, or the word did not come in time.
        """
        self._wait(lambda: number in self._acknowledged, "the broker does not acknowledge")
        with self._changed:
            self._waiting.pop(number, None)
            return self._acknowledged.pop(number)

    def read(
        self, filters: Sequence[str], probe: str, unread: str, taken_away: Sequence[str] = ()
    ) -> list[mqtt.MQTTMessage]:
        """What comes by these filters up to what we publish at the topic `probe`, which is among them.

        At the topics `taken_away` nothing is to be retained any more: that is published before the probe, and comes.

        Raises:
            SinkAway: the connection was lost; or, as `unread` says, that does not come.
        """
        heard: list[mqtt.MQTTMessage] = []

        def hear(message: mqtt.MQTTMessage) -> None:
            with self._changed:
                heard.append(message)
                self._changed.notify_all()

        for one in filters:
            self._client.message_callback_add(one, lambda _client, _data, message: hear(message))
        try:
            self._client.subscribe([(one, AT_MOST_ONCE) for one in filters])
            self.publish_all([(topic, "") for topic in taken_away])
            self.publish_probe(probe)  # comes to us, behind what is retained
            self._wait(lambda: any(it.topic == probe and it.payload and not it.retain for it in heard), unread)
        finally:
            self._client.unsubscribe([*filters])
            for one in filters:
                self._client.message_callback_remove(one)
        return heard

    def publish_probe(self, probe: str) -> None:
        """Retain something at a topic that nobody uses.

        Raises:
            SinkAway: the connection was lost, or the broker refuses it.
        """
        if refused := self.publish_all([(probe, "{}")]):
            raise SinkAway(refused[0])

    def taken_over(self, problem: str) -> SinkAway:
        """That another client has our id. For a while it is left to it: else each takes it from the other at once."""
        ours = f"does another client have our id? Are there two connectors of the site {self._site}? A broker takes one"
        return SinkAway(f"{problem}: {ours}", LONGEST_PAUSE)

    def close(self, available: str) -> None:
        """Say on the topic `available` that we go, as far as the broker hears it, and drop the connection."""
        if self.lost is None:
            # By the same message as the will's: a broker does not send the will of one who says good-bye.
            with suppress(SinkAway):
                self.publish_all([(available, "offline")])
        self._client.disconnect()
        self._client.loop_stop()

    def _wait(self, condition: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + ANSWER_TIMEOUT
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if self.lost is not None:
                    raise self.lost
                if left <= 0:
                    raise SinkAway(f"{problem} within {ANSWER_TIMEOUT:g} s")
                self._changed.wait(left)

    def _is_it_tls(self) -> str:
        return " (is it mqtts://?)" if self._configuration.parts.scheme == "mqtt" else ""

    def _ends(self, problem: str) -> None:
        """Note why it has ended; the first reason counts. Called with the lock held."""
        self.lost = self.lost or SinkAway(problem)
        self._changed.notify_all()

    def _on_connect(self, reason: ReasonCode, properties: Properties | None) -> None:
        with self._changed:
            if reason.is_failure:
                user, file = self._configuration.user, self._configuration.password_file
                who = "without a user" if user is None else f"as the user {user}, with the password in {file}"
                self._ends(f"the broker does not let us in {who}: {reason}")
            else:
                self._connected_at = time.monotonic()
                self._limit.announced = getattr(properties, "MaximumPacketSize", None)
                for topic in self._heard:
                    self._client.subscribe(topic, AT_LEAST_ONCE)
            self._changed.notify_all()

    def _on_disconnect(self, reason: ReasonCode) -> None:
        with self._changed:
            if self._connected_at is None:
                self._ends(f"the broker drops us before it lets us in: {reason}{self._is_it_tls()}")
            elif reason.value == _TAKEN_OVER:
                self.lost = self.lost or self.taken_over("the connection was lost")
                self._changed.notify_all()
            else:
                waiting = [size for number, size in self._waiting.items() if number not in self._acknowledged]
                self.was_short = time.monotonic() - self._connected_at < SHORT
                # By 3.1.1 a broker cannot say why: one that ends soon, while the same one waits again, is taken for it.
                may_be = self.was_short and self._configuration.version == "3.1.1"
                if waiting and (may_be or reason.value in _BECAUSE_OF_A_MESSAGE):
                    self.was_short &= not self._limit.ended_at(max(waiting))
                self._ends(f"the connection was lost: {reason}")

    def _on_message(self, message: mqtt.MQTTMessage) -> None:
        try:
            if (heard := self._heard.get(message.topic)) is not None:  # a kept session may have other topics still
                heard(bytes(message.payload))
        except sqlite3.Error as error:  # not acknowledged: it comes again by the next connection
            with self._changed:
                self._ends(f"a message on {message.topic} cannot be kept: {error}")
            return
        self._client.ack(message.mid, message.qos)

    def _on_publish(self, number: int, reason: ReasonCode) -> None:
        with self._changed:
            self._acknowledged[number] = f"the broker refuses it: {reason}" if reason.is_failure else None
            self._changed.notify_all()
