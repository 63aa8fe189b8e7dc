"""What the line says reaches a real broker, whatever is killed on the way."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from producer.connect.configuration.connector_file import MqttSink
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.sinks.mqtt import Mqtt
from producer.contract.event import new_id
from producer.contract.plant_news import Restored
from tests.integration.plant import (
    Listener,
    Mosquitto,
    check,
    come_back,
    connecting,
    fault,
    go_down,
    in_order,
    needs_mosquitto,
    once,
    verdict,
)
from tests.integration.tls import Certificates
from tests.support import RedisProcess, wait_until
from worker.embedded.redis_server import free_port
from worker.line.notifier import Notifier

pytestmark = needs_mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


def file(broker: Mosquitto, more: str = "") -> str:
    return f'site = "plant-1"\n[mqtt.broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\n{more}'


def test_every_answer_is_told_once_and_what_holds_now_is_retained(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier
) -> None:
    line.send([("station-1", verdict(1))])  # before the connector's first start: in the database alone
    with connecting(tmp_path, redis_server.url, file(broker, "home_assistant = true")) as connector:
        listener = Listener(broker.port)
        answers = [verdict(1), verdict(2, "damaged"), check("replace", [2]), verdict(2), check("go"), fault()]
        line.send([("station-1", answer) for answer in answers])
        line.send([("station-1", answers[0])])  # said again after a crash of a worker
        wait_until(lambda: listener.events("/fault"))
        events = listener.events()
        assert [event["type"] for event in events] == ["inserts.verdict"] * 2 + [
            "inserts.check",
            "inserts.verdict",
            "inserts.check",
        ]
        assert [event["data"].get("pocket") for event in events] == [1, 2, None, 2, None]
        assert events[0]["source"] == "/inserts/plant-1/station-1"
        assert events[0]["subject"] == "mill-1/H12/1"
        wait_until(lambda: connector.status()["broker"]["waiting"] == 0)
        listener.close()
        # Whoever comes later finds what holds now.
        late = Listener(broker.port)
        root = "inserts/plant-1"
        wait_until(lambda: late.latest(f"{root}/mill-1/H12/state") and late.latest(f"{root}/available"))
        assert json.loads(late.latest(f"{root}/mill-1/H12/state") or b"")["data"]["state"] == "go"
        wait_until(lambda: late.latest(f"{root}/mill-1/H12/pocket/2/state"))
        assert json.loads(late.latest(f"{root}/mill-1/H12/pocket/2/state") or b"")["data"]["outcome"] == "intact"
        assert late.latest(f"{root}/available") == b"online"
        discovered = [json.loads(text) for topic, text, _ in late.heard if topic.startswith("homeassistant/sensor/")]
        assert [each["state_topic"] for each in discovered] == [f"{root}/mill-1/H12/state"]
        # A late photograph has an older run answered: it is an event, and the newest run's answer stays what holds.
        first, newer = (
            check(state).model_copy(update={"begun_at": datetime(2026, 11, 29, 12, minute, tzinfo=UTC), "revision": 1})
            for minute, state in enumerate(("go", "replace"))
        )
        line.send([("station-1", newer), ("station-1", first), ("station-1", verdict(3))])
        wait_until(lambda: late.latest(f"{root}/mill-1/H12/pocket/3/state"))
        assert [event["data"]["check_id"] for event in late.events()[:2]] == [str(newer.check_id), str(first.check_id)]
        assert json.loads(late.latest(f"{root}/mill-1/H12/state") or b"")["data"]["check_id"] == str(newer.check_id)
        line.send([("station-1", newer.model_copy(update={"state": "go", "revision": 2}))])
        wait_until(lambda: b'"state":"go"' in (late.latest(f"{root}/mill-1/H12/state") or b""))
        wait_until(lambda: connector.status()["broker"]["waiting"] == 0)
        # An older answer that a person has told once more is an event, and not what holds now.
        assert connector.command("replay", "broker", events[2]["id"]).returncode == 0
        wait_until(lambda: [event["id"] for event in late.events()][4:] == [events[2]["id"]])
        # A connector that is killed is missed by the broker; one that ends says so itself.
        connector.kill()
        wait_until(lambda: late.latest(f"{root}/available") == b"offline")
        connector.start()
        wait_until(lambda: late.latest(f"{root}/available") == b"online")
        assert json.loads(late.latest(f"{root}/mill-1/H12/state") or b"")["data"]["state"] == "go"
        assert connector.end() == 0
        wait_until(lambda: late.latest(f"{root}/available") == b"offline")
        # What the line says while nobody carries it on is read first: a `go` that is overtaken is never there.
        heard = len(late.heard)
        line.send([("station-1", newer.model_copy(update={"state": "review", "revision": 3}))])
        connector.start()
        wait_until(lambda: late.latest(f"{root}/available") == b"online")
        states = [text for topic, text, _ in late.heard[heard:] if topic == f"{root}/mill-1/H12/state"]
        assert [json.loads(text)["data"]["state"] for text in states[:1]] == ["review"]
        late.close()


def test_what_the_broker_retained_is_taken_away_where_answers_were_missed(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier
) -> None:
    root = "inserts/plant-1"
    with connecting(tmp_path, redis_server.url, file(broker)) as connector:
        line.send([("station-1", check("go"))])
        listener = Listener(broker.port)
        wait_until(lambda: b"go" in (listener.latest(f"{root}/mill-1/H12/state") or b""))
        with connector.paused():  # Redis loses its memory, and what it was told of the check meanwhile
            redis_server.client().flushall()
            redis_server.seem_looked_for()
        wait_until(lambda: listener.latest(f"{root}/mill-1/H12/state") == b"", 30)
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        line.send([("station-1", check("replace", [1]))])
        wait_until(lambda: b"replace" in (listener.latest(f"{root}/mill-1/H12/state") or b""))
        listener.close()


def test_what_the_broker_retained_is_taken_away_where_a_backup_was_restored(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier
) -> None:
    root = "inserts/plant-1"
    with connecting(tmp_path, redis_server.url, file(broker)):
        line.send([("station-1", check("go"))])
        listener = Listener(broker.port)
        wait_until(lambda: b"go" in (listener.latest(f"{root}/mill-1/H12/state") or b""))
        at = datetime.now(UTC)
        line.emit([Restored(restore_id=new_id(), at=at, made_at=at)])
        wait_until(lambda: listener.latest(f"{root}/mill-1/H12/state") == b"", 30)
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        told = listener.latest(f"{root}/event") or b""
        assert json.loads(told)["type"] == "inserts.restored"
        listener.close()


def test_a_broker_that_comes_back_with_what_it_had_long_before_is_put_right(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier
) -> None:
    root = "inserts/plant-1"
    others = [f"{root}/mill-1/H99/state", f"{root}/mill-2/H12/state"]
    with connecting(tmp_path, redis_server.url, file(broker, 'machines = ["mill-1"]')) as connector:
        line.send([("station-1", check("review"))])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 1)
        with connector.paused():
            broker.kill()
            broker.start()
            listener = Listener(broker.port)
            # Another broker, or one that has saved it before it was taken away; or another connector told it.
            for topic in (f"{root}/mill-1/H12/state", *others):
                listener.publish(topic, b'{"data":{"state":"go"}}')
            wait_until(lambda: all(map(listener.latest, others)))
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        assert list(map(listener.latest, others)) == [b"", b""]
        assert b"review" in (listener.latest(f"{root}/mill-1/H12/state") or b"")
        listener.close()


def test_the_go_of_one_photograph_is_a_head_s_where_the_register_says_that_it_has_one_pocket(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = tmp_path / "heads.toml"
    register.write_text("[heads.drill]\npockets = 1\n", encoding="utf-8")
    monkeypatch.setenv("INSERTS_HEADS", str(register))
    with connecting(tmp_path, redis_server.url, file(broker, "home_assistant = true")) as connector:
        runs = [check(head=head).model_copy(update={"size": 1}) for head in ("H12", "drill")]
        line.send([("station-1", run) for run in runs])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 2)
        listener = Listener(broker.port)
        wait_until(lambda: b"go" in (listener.latest("inserts/plant-1/mill-1/drill/state") or b""))
        listener.hear_all()
        assert listener.latest("inserts/plant-1/mill-1/H12/state") is None
        # A head that is gone is forgotten, also by Home Assistant.
        assert "end it first" in connector.command("forget", "mill-1", "drill").stderr
        assert connector.end() == 0
        assert "mill-1 drill is forgotten" in connector.command("forget", "mill-1", "drill").stdout
        connector.start()
        wait_until(lambda: listener.latest("inserts/plant-1/available") == b"online")
        assert listener.latest("inserts/plant-1/mill-1/drill/state") == b""
        assert [text for topic, text, _ in listener.heard if topic.startswith("homeassistant/sensor/")][-1] == b""
        assert connector.command("put-away", "broker", "0" * 32).returncode == 2
        listener.close()


def test_the_head_register_counts_as_it_is_while_the_connector_runs(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, root = tmp_path / "heads.toml", "inserts/plant-1"
    register.write_text("[heads.H12]\npockets = 3\n", encoding="utf-8")
    monkeypatch.setenv("INSERTS_HEADS", str(register))
    monkeypatch.setenv("INSERTS_SETTLED_AFTER", "0.2")
    run, of_unknown = check(head="H12"), check(head="H14")

    def latest(head: str) -> bytes | None:
        return listener.latest(f"{root}/mill-1/{head}/state")

    with connecting(tmp_path, redis_server.url, file(broker)) as connector:
        line.send([("station-1", run), ("station-1", of_unknown)])
        listener = Listener(broker.port)
        wait_until(lambda: b"go" in (latest("H12") or b"") and b"go" in (latest("H14") or b""))
        register.write_text("[heads.H12]\npockets = 4\n[heads.H14]\npockets = 4\n", encoding="utf-8")
        wait_until(
            lambda: latest("H12") == latest("H14") == b"", 30, "no state of a head of which a pocket was never seen"
        )
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        line.send([("station-1", again := check(head="H12"))])  # by who still has the old number
        wait_until(lambda: connector.delivered("broker", "H12") == 2)
        listener.hear_all()
        assert latest("H12") == b""
        line.send([("station-1", again.model_copy(update={"size": 4, "check_id": new_id()}))])
        wait_until(lambda: b"go" in (latest("H12") or b""))
        listener.close()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_broker_that_lets_us_read_too_little_is_not_told_that_we_are_there(
    tmp_path: Path, redis_server: RedisProcess, version: str, request: pytest.FixtureRequest
) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic write inserts/#\ntopic read inserts/plant-1/available\n")
    rules.chmod(0o644)
    broker = Mosquitto(tmp_path, ["allow_anonymous true", f"acl_file {rules}", f"user {getpass.getuser()}"])
    request.addfinalizer(broker.kill)
    broker.start()
    with connecting(tmp_path, redis_server.url, file(broker, f'version = "{version}"')) as connector:
        listener = Listener(broker.port)
        wait_until(lambda: "does not let us read inserts/plant-1/#" in str(connector.status()["broker"]["problem"]), 40)
        assert not connector.status()["broker"]["up"]
        assert listener.latest("inserts/plant-1/available") in (b"offline", None)
        listener.close()


@pytest.mark.parametrize("few", [100, 1], ids=["all at once", "number by number"])
def test_what_a_broker_retains_is_taken_away_of_however_many_heads(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("producer.connect.sinks.retained_topics.FEW_HEADS", few)
    listener, root = Listener(broker.port), "inserts/plant-1"
    states = ["state", "pocket/1/state", "pocket/30/state"]
    before = [f"{root}/mill-1/{head}/{state}" for head in ("H1", "H2") for state in states] + [f"{root}/model/champion"]
    for topic in before:
        listener.publish(topic, b'{"data":{"state":"go"}}')
    wait_until(lambda: all(listener.latest(topic) for topic in before))
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log, closing(InsertChangeOutbox(tmp_path)) as changes:
        sink = Mqtt("broker", "plant-1", MqttSink(url=f"mqtt://127.0.0.1:{broker.port}"), log, changes)
        assert sink.open()
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        assert [listener.latest(topic) for topic in before] == [b""] * len(before)
        sink.close()
    listener.close()


def test_a_broker_that_dies_and_comes_back_empty_misses_nothing(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier
) -> None:
    said = [verdict(1 + number % 5) for number in range(400)]
    with connecting(tmp_path, redis_server.url, file(broker)) as connector:
        listener = Listener(broker.port)
        for start in range(0, 400, 20):
            line.send([("station-1", answer) for answer in said[start : start + 20]])
            if start == 100:
                wait_until(lambda: len(listener.events()) >= 50)
                go_down(broker, listener, connector)
            if start == 200:
                connector.kill()
                connector.start()
            if start == 300:
                come_back(broker, listener, connector)
        wait_until(lambda: len(once(listener.events())) == 400, 60)
        assert in_order(once(listener.events()), said)
        # What the broker retained before it died is there again, though nothing was said of it since.
        wait_until(lambda: connector.status()["broker"]["waiting"] == 0)
        late = Listener(broker.port)
        for pocket in range(1, 6):
            topic = f"inserts/plant-1/mill-1/H12/pocket/{pocket}/state"
            wait_until(lambda topic=topic: late.latest(topic))
            newest = [answer for answer in said if answer.pocket == pocket][-1]
            assert json.loads(late.latest(topic) or b"")["data"]["capture_id"] == str(newest.capture_id)
        listener.close()
        late.close()


def test_a_broker_that_refuses_a_topic_or_takes_another_with_our_id_is_told_and_costs_nothing(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, request: pytest.FixtureRequest
) -> None:
    rules = tmp_path / "acl"
    read = "topic read inserts/plant-1/#\n" + "".join(
        f"topic write inserts/plant-1/{topic}\n" for topic in ("_probe/#", "fault-run/#", "model/#")
    )
    rules.write_text(f"{read}topic write inserts/plant-1/mill-1/#\ntopic write inserts/plant-1/available\n")
    rules.chmod(0o644)
    broker = Mosquitto(tmp_path, ["allow_anonymous true", f"acl_file {rules}", f"user {getpass.getuser()}"])
    request.addfinalizer(broker.kill)
    broker.start()
    with connecting(tmp_path, redis_server.url, file(broker)) as connector:
        wait_until(lambda: connector.status()["broker"]["up"])
        answers = [check(machine="mill-2"), check("replace", [1], machine="mill-2"), check()]
        line.send([("station-1", answer) for answer in answers])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 1)
        wait_until(lambda: "mill-2/H12/event: the broker refuses it" in str(connector.status()["broker"]["problem"]))
        assert connector.status()["broker"]["waiting"] == 2
        # It may retain the state before the one that it refuses: until it takes all of them nobody is to believe it.
        listener = Listener(broker.port)
        wait_until(lambda: listener.latest("inserts/plant-1/available") == b"offline")
        listener.close()
        # Mended: they are told by the new connection. What holds now and is refused then holds up nothing.
        rules.write_text(f"{read}topic write inserts/plant-1/mill-2/#\ntopic write inserts/plant-1/available\n")
        broker.kill()
        wait_until(lambda: "is away: events wait" in connector.log.read_text(), what="a lost connection in the log")
        broker.start()
        wait_until(lambda: connector.status()["broker"]["delivered"] == 3, 30)
        wait_until(lambda: "broker refuses what holds now" in connector.log.read_text())
        other = mqtt.Client(CallbackAPIVersion.VERSION2, "inserts-plant-1", reconnect_on_failure=False)
        taken = "two connectors of the site plant-1?"
        wait_until(
            lambda: other.connect("127.0.0.1", broker.port) or taken in str(connector.status()["broker"]["problem"])
        )
        assert not connector.status()["broker"]["up"]
        assert "two connectors of the site plant-1?" in connector.log.read_text()


@pytest.mark.parametrize(
    ("version", "limit"),
    [
        pytest.param("5", "max_packet_size", id="announced"),
        pytest.param("5", "message_size_limit", id="not announced"),
        pytest.param("3.1.1", "max_packet_size", id="ends the connection"),
        pytest.param("3.1.1", "message_size_limit", id="thrown away"),
    ],
)
def test_an_event_that_is_too_large_for_the_broker_holds_up_its_head_alone(
    tmp_path: Path,
    redis_server: RedisProcess,
    line: Notifier,
    version: str,
    limit: str,
    request: pytest.FixtureRequest,
) -> None:
    broker = Mosquitto(tmp_path, ["allow_anonymous true", f"{limit} 1000"])
    request.addfinalizer(broker.kill)
    broker.start()
    many = list(range(1, 400))
    with connecting(tmp_path, redis_server.url, file(broker, f'version = "{version}"')) as connector:
        root, run = "inserts/plant-1/mill-1", check("go")
        line.send([("station-1", run)])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 1)
        line.send([("station-1", run.model_copy(update={"state": "replace", "replace": many}))])
        line.send([("station-1", check(head="H13"))])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 2, 60)
        why = "does not retain it" if limit == "message_size_limit" and version == "3.1.1" else "bytes, and the broker"
        wait_until(lambda: why in str(connector.status()["broker"]["problem"]))
        listener = Listener(broker.port)
        wait_until(lambda: listener.latest("inserts/plant-1/available") == b"online")
        wait_until(lambda: b"go" in (listener.latest(f"{root}/H13/state") or b""))
        listener.hear_all()
        assert listener.latest(f"{root}/H12/state") is None, "the go before it is no state any more"
        assert (connector.status()["broker"]["up"], connector.status()["broker"]["waiting"]) == (True, 1)
        listener.close()


def test_a_broker_that_refuses_a_state_and_cannot_say_so_is_not_told_that_we_are_there(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, request: pytest.FixtureRequest
) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite inserts/#\n")
    rules.chmod(0o644)
    broker = Mosquitto(tmp_path, ["allow_anonymous true", f"acl_file {rules}", f"user {getpass.getuser()}"])
    request.addfinalizer(broker.kill)
    broker.start()
    run, root = check("go"), "inserts/plant-1"
    with connecting(tmp_path, redis_server.url, file(broker, 'version = "3.1.1"')) as connector:
        line.send([("station-1", answer) for answer in (verdict(1), run)])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 2)
        listener = Listener(broker.port)
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        # The `go` stays there: nor does it take that it is to be no more.
        written = ("_probe/#", "fault-run/#", "model/#", "available", "mill-1/H12/event")
        rules.write_text("topic read #\n" + "".join(f"topic write {root}/{topic}\n" for topic in written))
        broker.read_rules(f"{root}/mill-1/H12/other", refuses=True)
        line.send([("station-1", run.model_copy(update={"state": "replace", "replace": [1]}))])
        wait_until(lambda: "does not retain it" in str(connector.status()["broker"]["problem"]))
        wait_until(lambda: listener.latest(f"{root}/available") == b"offline")
        line.send([("station-1", run.model_copy(update={"state": "review", "revision": 2}))])
        wait_until(lambda: connector.status()["broker"]["waiting"] == 2)
        rules.write_text("topic readwrite inserts/#\n")
        broker.read_rules(f"{root}/mill-1/H12/other", refuses=False)
        connector.kill()
        connector.start()
        wait_until(lambda: listener.latest(f"{root}/available") == b"online", 60)
        assert b"review" in (listener.latest(f"{root}/mill-1/H12/state") or b"")
        listener.close()


def test_with_a_new_delivery_log_nothing_that_the_broker_retained_is_believed(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, line: Notifier
) -> None:
    root, overtaken, unknown = "inserts/plant-1", check("go"), check("go", head="H13")
    with connecting(tmp_path, redis_server.url, file(broker)) as connector:
        line.send([("station-1", answer) for answer in [unknown, overtaken]])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 2)
        with connector.paused():  # what waits in the log when it is taken away
            later = overtaken.model_copy(update={"state": "replace", "replace": [2]})
            redis_server.client().delete(
                "answers"
            )  # it has nothing any more of the one head, and of the other the later
            line.send([("station-1", later)])
        connector.kill()
        for part in ("", "-wal", "-shm"):
            (connector.data / "connect" / f"deliveries.db{part}").unlink(missing_ok=True)
        listener = Listener(broker.port)
        wait_until(lambda: listener.latest(f"{root}/available") == b"offline")
        wait_until(lambda: b"go" in (listener.latest(f"{root}/mill-1/H13/state") or b""))
        heard = len(listener.heard)
        connector.start()
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        topics = {topic: text for topic, text, _ in listener.heard[heard:]}
        assert topics[f"{root}/mill-1/H13/state"] == b""
        assert json.loads(topics[f"{root}/mill-1/H12/state"])["data"]["state"] == "replace"

        assert not listener.events()[2:], "what holds is shown; an event of it would be told for the second time"
        listener.close()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_broker_that_does_not_let_us_in_is_named(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, version: str, request: pytest.FixtureRequest
) -> None:
    broker = Mosquitto(tmp_path, ["allow_anonymous false"])
    request.addfinalizer(broker.kill)
    broker.start()
    password = tmp_path / "password"
    password.write_text("a secret that is wrong")
    access = f'user = "inserts"\npassword_file = "{password}"\nversion = "{version}"'
    with connecting(tmp_path, redis_server.url, file(broker, access)) as connector:
        line.send([("station-1", verdict(1))])
        wait_until(lambda: "does not let us in" in str(connector.status()["broker"]["problem"]))
        assert f"as the user inserts, with the password in {password}" in connector.status()["broker"]["problem"]
        password.unlink()  # read again by each connection
        wait_until(lambda: f"{password} cannot be read" in str(connector.status()["broker"]["problem"]))
        wait_until(lambda: connector.status()["broker"]["waiting"] == 1)
        assert not connector.status()["broker"]["up"]
        assert "a secret" not in connector.log.read_text()


def test_over_tls_the_broker_proves_who_it_is_and_so_do_we(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, request: pytest.FixtureRequest
) -> None:
    ours, strangers = (Certificates.made(tmp_path / name, "localhost") for name in ("ours", "strangers"))
    tls = [f"certfile {ours.cert}", f"keyfile {ours.key}", f"cafile {ours.ca}", "require_certificate true"]
    ports = {name: free_port() for name in ("stranger", "nobody", "clear")}  # each part of the file has a broker
    others = [line for port in ports.values() for line in (f"listener {port} 127.0.0.1", *tls)]
    broker = Mosquitto(tmp_path, [*tls, "allow_anonymous true", f"user {getpass.getuser()}", *others])
    ports["broker"] = broker.port
    request.addfinalizer(broker.kill)
    broker.start()
    sinks = {
        "stranger": f'ca_file = "{strangers.ca}"',
        "nobody": f'ca_file = "{ours.ca}"',
        "broker": f'ca_file = "{ours.ca}"\ncert_file = "{ours.client_cert}"\nkey_file = "{ours.client_key}"',
    }
    parts = [f'[mqtt.{name}]\nurl = "mqtts://localhost:{ports[name]}"\n{trust}\n' for name, trust in sinks.items()]
    clear = f'[mqtt.clear]\nurl = "mqtt://localhost:{ports["clear"]}"\n[mqtt.long]\nurl = "mqtt://{"h" * 64}"\n'
    with connecting(tmp_path, redis_server.url, 'site = "plant-1"\n' + "".join(parts) + clear) as connector:
        line.send([("station-1", verdict(1))])
        wait_until(lambda: connector.status()["broker"]["delivered"] == 1)
        wait_until(lambda: "certificate verify failed" in str(connector.status()["stranger"]["problem"]))
        wait_until(lambda: connector.status()["nobody"]["problem"] not in (None, "not reached yet"))
        assert [connector.status()[name]["delivered"] for name in ("stranger", "nobody")] == [0, 0]
        wait_until(lambda: "is it mqtts://?" in str(connector.status()["clear"]["problem"]))
        wait_until(lambda: "can be no computer's name" in str(connector.status()["long"]["problem"]))
        ours.ca.unlink()  # read by each connection
        wait_until(lambda: f"{ours.ca}: No such file" in str(connector.status()["nobody"]["problem"]))
