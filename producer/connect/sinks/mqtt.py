"""MQTT: every event once on its head's topic, and what holds now retained beside it, each acknowledged by the broker.

A client is used for one connection only. What paho keeps in memory for the next one would overtake, or repeat out of
order, what the delivery log sends again. Its id is the site's alone: `available`, and all that is retained below it,
are one connector's, so a broker lets no second one of the site in beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pydantic import ValidationError

from producer.configuration.secret_files import password_in
from producer.connect.configuration.connector_file import MqttSink
from producer.connect.deliveries.delivery_log import Delivery, DeliveryLog
from producer.connect.deliveries.retry_schedule import MISCONFIGURED_PAUSE
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.sinks.last_answers import LastAnswers, Remembered
from producer.connect.sinks.mqtt_connection import AT_LEAST_ONCE, MqttConnection
from producer.connect.sinks.mqtt_trust import trust
from producer.connect.sinks.retained_topics import NOT_RETAINED, retained_topics, take_away, unretained
from producer.connect.sinks.sink import DeliveryResult, SinkAway
from producer.connect.sinks.size_limit import SizeLimit
from producer.connect.sinks.topics import DISCOVERY, Topics
from producer.contract.answers import CheckAnswer
from producer.contract.insert_change import InsertChange
from producer.contract.names import safe_name
from producer.contract.plant_event import PlantEvent
from producer.contract.plant_news import InsertChangeAnswer
from producer.runtime.outage_log import OutageLog
from producer.terminal.error_text import in_words

log = structlog.get_logger()


class Mqtt:
    """A broker; used by one thread."""

    def __init__(self, name: str, site: str, configuration: MqttSink, log: DeliveryLog, changes: InsertChangeOutbox):
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
        self._password()  # says at once what cannot be read
        self._introduce_now = threading.Event()
        self._introduce_at = float("inf")
        self._is_online = False
        self._short_ones = 0
        self._limit = SizeLimit()
        self._refusals = OutageLog(f"{name} refuses what holds now", f"{name} takes what holds now")
        self._connection: MqttConnection | None = None
        self._last: LastAnswers  # read whenever the broker is reached (`_introduce`): all that waits is in it

    def open(self) -> bool:
        """Be connected: say that we are there, and repeat what holds now after the broker was away.

        Raises:
            SinkAway: the broker cannot be reached, does not let us in, or the connection was lost.
        """
        connection = self._connection
        if connection is not None:
            if connection.lost is not None:
                self.close()
                raise self._why_lost(connection, connection.lost)
            if self._introduce_now.is_set() or time.monotonic() > self._introduce_at:
                self._introduce(connection)
            return False
        client = self._client()
        if self._configuration.parts.scheme == "mqtts":
            client.tls_set_context(trust(self._configuration))
        connection = MqttConnection(client, self._site, self._configuration, self._heard(), self._limit)
        connection.connect()
        self._connection = connection
        self._is_online = False
        try:
            self._introduce(connection)
        except BaseException:  # else the next turn would tell by half of what is known
            self.close()
            raise
        return True

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
        """Publish these in their order; each is delivered when the broker has acknowledged all that belongs to it.

        A broker knows only an event's topic: it refuses one because of its rules, until these are corrected.

        Raises:
            SinkAway: the connection was lost, or the broker did not acknowledge in time.
        """
        connection = self._connection
        if connection is None:
            raise SinkAway("there is no connection")
        try:
            yield from self._published(connection, deliveries)
        except SinkAway as error:
            if connection.lost is None:
                raise
            self.close()
            raise self._why_lost(connection, connection.lost) from error

    def _published(self, connection: MqttConnection, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
        if self._refuses_news(connection, deliveries)[1]:
            self._says_offline(connection)
        in_flight: list[tuple[Delivery, list[tuple[str, int]], Remembered]] = []
        states: dict[str, str] = {}
        for delivery in deliveries:
            remembered = self._last.remember(delivery)
            topic = self._topics.of_event(delivery.event)
            numbers = [(topic, connection.publish(topic, delivery.event.as_json(), retain=False))]
            if remembered.shows is not None:
                retained = self._retained(remembered.shows[1])
                numbers += [(topic, connection.publish(topic, text, retain=True)) for topic, text in retained]
                states.update(retained[:1])
            in_flight.append((delivery, numbers, remembered))
        silent, stays = self._unretained(connection, states)
        if stays:
            self._says_offline(connection)
        held = set()
        for delivery, numbers, remembered in in_flight:
            answers = [(topic, connection.acknowledgement(number)) for topic, number in numbers]
            refused = [f"{topic}: {reason or NOT_RETAINED}" for topic, reason in answers if reason or topic in silent]
            if any(reason is not None for _, reason in answers[1:2]):
                self._says_offline(connection)  # the state before stays
            if not refused:
                yield DeliveryResult(delivery, shown=remembered.kept)
            elif delivery.event.order not in held:  # the later ones of its head wait for it
                held.add(delivery.event.order)
                yield DeliveryResult(delivery, refused[0], pause=MISCONFIGURED_PAUSE)

    def close(self) -> None:
        """Say that we go, as far as the broker hears it, and drop the connection."""
        if self._connection is not None:
            self._connection.close(self._topics.available)
            self._connection = None

    def _why_lost(self, connection: MqttConnection, lost: SinkAway) -> SinkAway:
        """Why a connection was lost, as far as others before it tell."""
        self._short_ones = self._short_ones + 1 if connection.was_short else 0
        return lost if self._short_ones < 2 else connection.taken_over(f"{lost}, again soon after it was made")

    def _client(self) -> mqtt.Client:
        """A client for one connection.

        Raises:
            SinkAway: the password cannot be read.
        """
        five = self._configuration.version == "5"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"inserts-{safe_name(self._site)}",
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            clean_session=None if five else not self._configuration.commands,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.will_set(self._topics.available, "offline", AT_LEAST_ONCE, retain=True)
        if self._configuration.user is not None:
            try:
                client.username_pw_set(self._configuration.user, self._password())
            except ValueError as error:
                raise SinkAway(str(error)) from error
        return client

    def _password(self) -> str | None:
        """What the file holds now: it may have been mended since the last connection.

        Raises:
            ValueError: it cannot be read.
        """
        file = self._configuration.password_file
        return None if file is None else password_in(file)

    def _heard(self) -> dict[str, Callable[[bytes], None]]:
        """What is done with what others publish, by the topics that we subscribe to."""
        heard: dict[str, Callable[[bytes], None]] = {}
        if self._configuration.home_assistant:
            heard[f"{DISCOVERY}/status"] = lambda _: self._introduce_now.set()
        if self._configuration.commands:
            heard[self._topics.insert_change] = self._keep
        return heard

    def _keep(self, text: bytes) -> None:
        """Keep an insert change that a system reports.

        Raises:
            sqlite3.Error: it could not be stored.
        """
        try:
            self._changes.keep(InsertChange.model_validate_json(text), self._name)
        except ValidationError as error:
            log.error("a command is no insert change, and was passed over", problem=in_words(error, "the command"))
        except ValueError as error:
            log.error("an insert change was passed over", problem=str(error))

    def _introduce(self, connection: MqttConnection) -> None:
        """Publish what a broker must know at once; what it refuses of that is tried again, and holds up no event.

        If it refuses a state, it still retains the previous one, so we say that we are there only when it has accepted
        all states. A new connection may lead to another broker, or to one that came back with an old content.

        Raises:
            SinkAway: the connection was lost, or the broker did not acknowledge in time.
        """
        self._introduce_now.clear()
        self._last = LastAnswers(self._log, self._name)
        if not self._is_online:
            self._put_right(connection)
        self._last.news()
        discoveries, states = self._introduction()
        refused = connection.publish_all(discoveries)
        of_states, of_news = self._refuses(connection, dict(states)), self._refuses_news(connection)
        refused += of_states[0] + of_news[0]
        if of_states[1] or of_news[1]:
            self._says_offline(connection)
        else:
            refused += connection.publish_all([(self._topics.available, "online")])
            self._is_online = True
        for problem in refused:
            self._refusals.begins(problem)
        if not refused:
            self._refusals.ends()
        self._introduce_at = time.monotonic() + MISCONFIGURED_PAUSE if refused else float("inf")

    def _refuses_news(self, connection: MqttConnection, due: Sequence[Delivery] = ()) -> tuple[list[str], bool]:
        """Show what was said of late; as `_refuses`."""
        news = [self._retained(event) for _, event in self._last.news(due)]
        return self._refuses(connection, dict(retained[0] for retained in news if retained))

    def _refuses(self, connection: MqttConnection, states: Mapping[str, str]) -> tuple[list[str], bool]:
        """Retain states; what the broker refuses of them, and whether one of before may stay in place of one."""
        refused = connection.publish_all([*states.items()])
        silent, stays = self._unretained(connection, states)
        return refused + [f"{topic}: {NOT_RETAINED}" for topic in silent], bool(refused or stays)

    def _says_offline(self, connection: MqttConnection) -> None:
        """Say `offline`, so that no client trusts the retained states until all are published again."""
        self._is_online = False
        self._introduce_at = time.monotonic() + MISCONFIGURED_PAUSE
        connection.publish_all([(self._topics.available, "offline")])

    def _put_right(self, connection: MqttConnection) -> None:
        """Remove what the broker retains below our topics and this log does not know: it may be out of date.

        Raises:
            SinkAway: it cannot be, or the connection was lost.
        """
        known = {topic for _, event in self._last.kept if (topic := self._topics.of_state(event)) is not None}
        unknown = [topic for topic in retained_topics(connection, self._topics, known) if topic not in known]
        refused, stays = self._refuses(connection, dict.fromkeys(unknown, ""))
        if stays:
            raise SinkAway(f"old retained messages of the broker cannot be removed: {refused[0]}")
        if self._configuration.home_assistant:
            connection.publish_all([(self._topics.sensor(topic), "") for topic in unknown if topic.endswith("/state")])

    def _unretained(self, connection: MqttConnection, published: Mapping[str, str]) -> tuple[set[str], set[str]]:
        """Where a broker that cannot say so does not take states, as what it retains shows; where one of before stays.

        Elsewhere that is taken away: there is no state then, and the others go on.
        """
        if self._configuration.version != "3.1.1":
            return set(), set()
        others = unretained(connection, self._topics, published)
        return others, take_away(connection, self._topics, others)

    def _introduction(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What a broker must have before we say that we are there: what there is, and the present states."""
        retained = [self._retained(event) for _, event in self._last.kept]
        return [one for _, *rest in filter(None, retained) for one in rest], [one[0] for one in retained if one]

    def _retained(self, event: PlantEvent) -> list[tuple[str, str]]:
        """What is retained of what holds: its state, and how Home Assistant finds that of a head."""
        topic = self._topics.of_state(event)
        if topic is None:
            return []
        state = (topic, "" if isinstance(event.data, InsertChangeAnswer) else event.as_json())
        if self._configuration.home_assistant and isinstance(event.data, CheckAnswer):
            return [state, self._topics.discovery(event.data)]
        return [state]
