"""MQTT: every event once on its head's topic, and what holds now retained beside it, each acknowledged by the broker.

A client is used for one connection only. What paho keeps in memory for the next one would overtake, or repeat out of
order, what the delivery log sends again.
"""

from __future__ import annotations

import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ValidationError

from producer.configuration.passwords import password_in
from producer.connect.configuration import MqttSink
from producer.connect.delivery_log import Delivery, DeliveryLog
from producer.connect.sinks.last_answers import LastAnswers
from producer.connect.sinks.sink import SinkAway, Told
from producer.connect.sinks.topics import DISCOVERY, Topics
from producer.connect.told_changes import ToldChanges
from producer.contract.answers import CheckAnswer
from producer.contract.insert_change import InsertChange
from producer.contract.names import safe_name
from producer.terminal.error_text import in_words

ANSWER_TIMEOUT: Final = 10.0
"""Seconds that the broker may take to take us in, or to acknowledge what it was given."""

KEEPALIVE: Final = 15
"""Seconds after which a silent connection is asked for a sign; half as much again, and it is lost."""

SESSION_KEPT: Final = 7 * 24 * 3600
"""Seconds for which a broker keeps what others tell us while we are away."""

_AT_LEAST_ONCE: Final = 1

log = structlog.get_logger()


class Mqtt:
    """A broker; used by one thread."""

    def __init__(self, name: str, site: str, configuration: MqttSink, log: DeliveryLog, changes: ToldChanges):
        """Nothing is connected yet.

        Args:
            name: the sink's name.
            site: the plant's.
            configuration: how the broker is reached.
            log: where what holds now is kept, for a broker that has lost what it retained.
            changes: where insert changes that others tell are kept.

        Raises:
            ValueError: the password's file cannot be read.
        """
        self._name = name
        self._site = site
        self._configuration = configuration
        self._log = log
        self._changes = changes
        self._topics = Topics(site)
        file = configuration.password_file
        self._password = None if file is None else password_in(file)
        self._asked = threading.Event()
        self._connection: _Connection | None = None
        self._last = LastAnswers(log, name)

    def open(self) -> None:
        """Be connected: say that we are there, and repeat what holds now after the broker was away.

        Raises:
            SinkAway: the broker cannot be reached, or does not let us in.
        """
        if self._connection is not None and self._connection.lost is None:
            if self._asked.is_set():  # Home Assistant has started again
                self._asked.clear()
                self._connection.publish_all(self._introduction())
            return
        self.close()
        parts = self._configuration.parts
        secure = parts.scheme == "mqtts"
        client = self._client()
        if secure:
            client.tls_set_context(self._trust())
        connection = _Connection(client, self._heard())
        connection.connect(parts.hostname or "", parts.port or (8883 if secure else 1883), self._configuration)
        self._connection = connection
        connection.publish_all(self._introduction())

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[Told]:
        """Publish these in their order; each is told once the broker has acknowledged all that belongs to it.

        Raises:
            SinkAway: the connection was lost, or the broker did not acknowledge in time.
        """
        connection = self._connection
        if connection is None:
            raise SinkAway("there is no connection")
        in_flight: list[tuple[Delivery, list[int], dict[str, str]]] = []
        for delivery in deliveries:
            text = delivery.event.as_json()
            numbers = [connection.publish(self._topics.of_event(delivery.event), text, retain=False)]
            topic = self._topics.of_state(delivery.event)
            shown = self._last.remember(delivery) if topic is not None else {}
            if topic is not None and shown:
                numbers.append(connection.publish(topic, text, retain=True))
                if self._configuration.home_assistant and isinstance(delivery.event.data, CheckAnswer):
                    numbers.append(connection.publish(*self._topics.discovery(delivery.event.data), retain=True))
            in_flight.append((delivery, numbers, shown))
        for delivery, numbers, shown in in_flight:
            refused = [reason for number in numbers if (reason := connection.acknowledgement(number)) is not None]
            yield Told(delivery, refused[0] if refused else None, shown)

    def close(self) -> None:
        """Say that we go, as far as the broker hears it, and drop the connection."""
        if self._connection is not None:
            self._connection.close(self._topics.available)
            self._connection = None

    def _client(self) -> mqtt.Client:
        five = self._configuration.version == "5"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"inserts-{safe_name(self._site)}-{self._name}",
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            clean_session=None if five else not self._configuration.commands,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.will_set(self._topics.available, "offline", _AT_LEAST_ONCE, retain=True)
        if self._configuration.user is not None:
            client.username_pw_set(self._configuration.user, self._password)
        return client

    def _trust(self) -> ssl.SSLContext:
        """Whom we trust, and how we prove who we are.

        Raises:
            SinkAway: a certificate cannot be read.
        """
        chosen = self._configuration
        try:
            context = ssl.create_default_context(cafile=None if chosen.ca_file is None else str(chosen.ca_file))
            if chosen.cert_file is not None:
                context.load_cert_chain(chosen.cert_file, chosen.key_file)
        except OSError as error:
            raise SinkAway(f"a certificate cannot be read: {error}") from error
        return context

    def _heard(self) -> dict[str, Callable[[bytes], None]]:
        """What is done with what others publish, by the topics that we subscribe to."""
        heard: dict[str, Callable[[bytes], None]] = {}
        if self._configuration.home_assistant:
            heard[f"{DISCOVERY}/status"] = lambda _: self._asked.set()
        if self._configuration.commands:
            heard[self._topics.insert_change] = self._keep
        return heard

    def _keep(self, text: bytes) -> None:
        """Keep an insert change that somebody tells.

        Raises:
            sqlite3.Error: it could not be stored.
        """
        try:
            self._changes.keep(InsertChange.model_validate_json(text), self._name)
        except ValidationError as error:
            log.error("a command is no insert change, and was passed over", problem=in_words(error, "the command"))
        except ValueError as error:
            log.error("an insert change was passed over", problem=str(error))

    def _introduction(self) -> list[tuple[str, str]]:
        """What a broker must know at once: what holds now, what there is, and then that we are there."""
        self._last = LastAnswers(self._log, self._name)
        events = [event for _, event in self._last.kept]
        discoveries = []
        if self._configuration.home_assistant:
            checks = [event.data for event in events if isinstance(event.data, CheckAnswer)]
            discoveries = [self._topics.discovery(check) for check in checks]
        states = [(topic, event.as_json()) for event in events if (topic := self._topics.of_state(event)) is not None]
        return [*discoveries, *states, (self._topics.available, "online")]


class _Connection:
    """One client for one connection, with what the broker has acknowledged."""

    def __init__(self, client: mqtt.Client, heard: Mapping[str, Callable[[bytes], None]]):
        self.lost: str | None = None
        self._client = client
        self._heard = heard
        self._changed = threading.Condition()
        self._connected = False
        self._acknowledged: dict[int, str | None] = {}
        client.on_connect = lambda _client, _data, _flags, reason, _properties: self._on_connect(reason)
        client.on_disconnect = lambda _client, _data, _flags, reason, _properties: self._on_disconnect(reason)
        client.on_publish = lambda _client, _data, number, reason, _properties: self._on_publish(number, reason)
        client.on_message = lambda _client, _data, message: self._on_message(message)

    def connect(self, host: str, port: int, configuration: MqttSink) -> None:
        self._client.connect_timeout = ANSWER_TIMEOUT
        try:
            if configuration.version == "5" and configuration.commands:
                # The broker keeps for us what comes while we are away, as 3.1.1 does without a clean session.
                kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                kept.SessionExpiryInterval = SESSION_KEPT
                self._client.connect(host, port, keepalive=KEEPALIVE, clean_start=False, properties=kept)
            else:
                self._client.connect(host, port, keepalive=KEEPALIVE)
        except OSError as error:  # TLS errors are of this kind too
            raise SinkAway(f"{host}:{port} cannot be reached: {error}") from error
        self._client.loop_start()
        try:
            self._wait(lambda: self._connected, f"{host}:{port} does not answer")
        except SinkAway:
            self._client.loop_stop()
            raise

    def publish(self, topic: str, text: str, *, retain: bool) -> int:
        """Give it to the broker; the number by which it acknowledges."""
        if self.lost is not None:
            raise SinkAway(self.lost)
        published = self._client.publish(topic, text.encode(), _AT_LEAST_ONCE, retain=retain)
        if published.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise SinkAway(f"it cannot be published: {mqtt.error_string(published.rc)}")
        return published.mid

    def publish_all(self, retained: Sequence[tuple[str, str]]) -> None:
        for number in [self.publish(topic, text, retain=True) for topic, text in retained]:
            if (refused := self.acknowledgement(number)) is not None:
                raise SinkAway(refused)

    def acknowledgement(self, number: int) -> str | None:
        """Wait for the broker's word on what was published by that number: None, or why it refuses it."""
        self._wait(lambda: number in self._acknowledged, "the broker does not acknowledge")
        with self._changed:
            return self._acknowledged.pop(number)

    def close(self, available: str) -> None:
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
                if self.lost is not None or left <= 0:
                    raise SinkAway(self.lost or f"{problem} within {ANSWER_TIMEOUT:g} s")
                self._changed.wait(left)

    def _on_connect(self, reason: ReasonCode) -> None:
        with self._changed:
            if reason.is_failure:
                self.lost = f"the broker does not let us in: {reason}"
            else:
                self._connected = True
                for topic in self._heard:
                    self._client.subscribe(topic, _AT_LEAST_ONCE)
            self._changed.notify_all()

    def _on_disconnect(self, reason: ReasonCode) -> None:
        with self._changed:
            self.lost = self.lost or f"the connection was lost: {reason}"
            self._changed.notify_all()

    def _on_message(self, message: mqtt.MQTTMessage) -> None:
        try:
            if (heard := self._heard.get(message.topic)) is not None:  # a kept session may have other topics still
                heard(bytes(message.payload))
        except sqlite3.Error as error:  # not acknowledged: it comes again by the next connection
            with self._changed:
                self.lost = f"a message on {message.topic} cannot be kept: {error}"
                self._changed.notify_all()
            return
        self._client.ack(message.mid, message.qos)

    def _on_publish(self, number: int, reason: ReasonCode) -> None:
        with self._changed:
            self._acknowledged[number] = f"the broker refuses it: {reason}" if reason.is_failure else None
            self._changed.notify_all()
