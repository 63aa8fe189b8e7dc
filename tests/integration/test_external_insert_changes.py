"""Insert changes that others tell are written once, with who told them, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import paho.mqtt.client as mqtt
import pytest
from asyncua import ua
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy.exc import IntegrityError

from db.engine.database import Database
from db.line import captures, insert_changes
from db.people import audit
from db.queries import connector_health
from producer.connect.opcua.users import user_line
from producer.contract.event import CaptureEvent
from producer.contract.insert_change import INSERT_CHANGES, InsertChange, KeptChange
from producer.contract.json_schema import schema_text
from producer.contract.plant_event import PLANT_STREAM
from tests.forked_commands import RunningCommand, start_command
from tests.integration.opcua import PASSWORD, Plant
from tests.integration.plant import ConnectProcess, Listener, Mosquitto, connecting, needs_mosquitto, once
from tests.support import RedisProcess, message, wait_until
from worker.line.external_insert_changes import ExternalInsertChangesWatch
from worker.line.mapping import capture_of
from worker.line.notifier import Notifier
from worker.runtime.failpoints import EXIT_CODE

TOPIC = "inserts/plant-1/command/insert-change"


def command(pocket: int, **changes: Any) -> dict[str, Any]:
    said = {"change_id": str(uuid4()), "machine": "mill-3", "head": "H12", "pocket": pocket, "by": "Müller"} | changes
    jsonschema.validate(said, json.loads(schema_text("insert-change")))
    return said


def publish(broker: Mosquitto, *payloads: str) -> None:
    """As a PLC's gateway does: at QoS 1, until the broker has it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="gateway")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for payload in payloads:
        client.publish(TOPIC, payload, qos=1).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def by_change(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {event["data"]["change_id"]: event["data"] for event in events}


def waiting(connector: ConnectProcess) -> str:
    return connector.command("status").stderr


@contextmanager
def worker(folder: Path, redis_url: str, database_url: str, failpoint: str = "") -> Iterator[RunningCommand]:
    environment = os.environ | {
        "INSERTS_DATA": str(folder),
        "INSERTS_REDIS_URL": redis_url,
        "INSERTS_DATABASE_URL": database_url,
        "INSERTS_FAILPOINT": failpoint,
        "INSERTS_PLANT_STREAM": "0",  # what became of a change is said all the same
    }
    process = start_command("insert-worker", "run", environment=environment, log=folder / "worker.log")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


def file(broker: Mosquitto, version: str) -> str:
    url = f"mqtt://127.0.0.1:{broker.port}"
    return f'site = "plant-1"\n[mqtt.broker]\nurl = "{url}"\nversion = "{version}"\ncommands = true\n'


@needs_mosquitto
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_broker_keeps_changes_for_a_connector_that_is_away(
    tmp_path: Path, redis_server: RedisProcess, broker: Mosquitto, version: str
) -> None:
    with connecting(tmp_path, redis_server.url, file(broker, version)) as connector:
        wait_until(lambda: connector.status()["broker"]["up"])
        connector.kill()
        publish(broker, json.dumps(command(1)))
        connector.file.write_text(file(broker, version).replace("mqtt.broker", "mqtt.gateway"), encoding="utf-8")
        connector.start()  # also where the file calls it otherwise by now
        wait_until(lambda: redis_server.client().hlen(INSERT_CHANGES) == 1)


@needs_mosquitto
def test_changes_by_mqtt_are_written_once_though_everything_dies(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str, broker: Mosquitto
) -> None:
    with closing(Database(sqlite_url)) as database:
        with database.transaction() as session:
            for pocket in (1, 2):
                seen = capture_of(CaptureEvent.from_message(message(pocket=pocket)))
                captures.record(session, seen, seen.captured_at)
        first, second, unknown = command(1), command(2), command(9)
        with connecting(tmp_path, redis_server.url, file(broker, "5")) as connector:
            wait_until(lambda: connector.status()["broker"]["up"])
            listener = Listener(broker.port)
            # Nobody writes them yet: there is no worker.
            publish(broker, json.dumps(first), json.dumps(first), "{}", json.dumps(first | {"pocket": 5}))
            wait_until(lambda: redis_server.client().hlen(INSERT_CHANGES) == 1)
            connector.kill()
            publish(broker, json.dumps(second), json.dumps(unknown))  # the broker keeps them for us
            redis_server.client().flushall()
            redis_server.seem_looked_for()
            connector.start()
            wait_until(lambda: redis_server.client().hlen(INSERT_CHANGES) == 3, 40)
            assert "3 insert changes from other systems" in waiting(connector)
            log = connector.log.read_text()
            assert "no insert change, and was passed over" in log
            assert "another change's" in log
            with worker(tmp_path, redis_server.url, sqlite_url, "change-before-notify:exit") as dying:
                assert dying.wait(120) == EXIT_CODE
            assert redis_server.client().hlen(INSERT_CHANGES) == 3
            with worker(tmp_path, redis_server.url, sqlite_url):
                wait_until(lambda: len(once(listener.events())) == 3, 120)
            wait_until(lambda: "insert change" not in waiting(connector))
            answers = by_change(listener.events())
            told = len(listener.events())
            assert answers.keys() == {first["change_id"], second["change_id"], unknown["change_id"]}
            assert "refused" not in answers[first["change_id"]]
            assert "nothing is known" in answers[unknown["change_id"]]["refused"]
            # Said again because its answer was lost it is answered again, under the same id.
            with worker(tmp_path, redis_server.url, sqlite_url):
                publish(broker, json.dumps(first), json.dumps(unknown))
                again = [first["change_id"], unknown["change_id"]]
                of_both = {change_id: answers[change_id] for change_id in again}
                wait_until(lambda: by_change(listener.events()[told:]) == of_both, 60)
            assert len(once(listener.events())) == 3
            listener.close()
        with database.reading() as session:
            (reported,) = connector_health.connectors(session, datetime.now(UTC))  # the worker brings that too
            assert reported.report is not None
            assert [sink.state.name for sink in reported.sinks] == ["broker"]
            changes = [insert_changes.of_pocket(session, "mill-3", "H12", pocket) for pocket in (1, 2, 5, 9)]
            assert [[change.by for change in of_one] for of_one in changes] == [["Müller"], ["Müller"], [], []]
            assert [(entry.by, entry.action) for entry in audit.recent(session)] == [
                ("Müller (broker)", "insert changed")
            ] * 2


def test_a_change_that_cannot_be_written_holds_up_no_other(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "inserts.db")) as file:
        file.execute(
            "CREATE TRIGGER refusal BEFORE INSERT ON told_insert_changes WHEN NEW.pocket = 1"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    changes = [InsertChange.model_validate_json(json.dumps(command(pocket))) for pocket in (1, 2, 3)]
    now = datetime.now(UTC)
    kept = [KeptChange(change=one, said_at=now + timedelta(seconds=one.pocket), via="cell") for one in changes]
    waiting = {str(one.change.change_id): one.model_dump_json(exclude_none=True) for one in kept}
    redis_server.client().hset(INSERT_CHANGES, mapping=waiting)
    with closing(Database(sqlite_url)) as database, closing(Notifier(redis_server.url)) as notifier:
        watch = ExternalInsertChangesWatch(database, redis_server.url, notifier)
        with pytest.raises(IntegrityError, match="not this one"):
            watch.turn()
        entries = redis_server.client().xrange(PLANT_STREAM)
        answers = [json.loads(entry["answer"]) for _, entry in entries]
        assert [answer["pocket"] for answer in answers] == [2, 3]
        assert redis_server.client().hkeys(INSERT_CHANGES) == [str(kept[0].change.change_id)]


def test_by_opc_ua_a_user_with_the_role_may_tell_and_no_other(tmp_path: Path, redis_server: RedisProcess) -> None:
    plant = Plant(tmp_path)
    with plant.users.open("a", encoding="utf-8") as users:
        users.write(user_line("panel", PASSWORD, may_change_inserts=True) + "\n")
    said = ["mill-3", "H12", ua.Variant(7, ua.VariantType.Int32), "", ""]
    with connecting(plant.folder, redis_server.url, plant.file()) as connector:
        wait_until(lambda: connector.status()["cell"]["up"], 60)
        with plant.session() as client, pytest.raises(ua.uaerrors.BadUserAccessDenied):
            client.system.call_method(f"{client.ns}:ReportInsertChange", *said)
        with plant.session(user="panel") as client:
            change_id = client.system.call_method(f"{client.ns}:ReportInsertChange", *said)
            # Sent again under its id it is the same.
            assert client.system.call_method(f"{client.ns}:ReportInsertChange", *said[:4], change_id) == change_id
            for wrong in ("op/1", "", None):
                with pytest.raises(ua.uaerrors.BadInvalidArgument):
                    client.system.call_method(f"{client.ns}:ReportInsertChange", wrong, *said[1:])
            for wrong in (True, "7", 7.0, ua.Variant([7], ua.VariantType.Int32)):
                with pytest.raises(ua.uaerrors.BadInvalidArgument):
                    client.system.call_method(f"{client.ns}:ReportInsertChange", *said[:2], wrong, *said[3:])
        wait_until(lambda: redis_server.client().hlen(INSERT_CHANGES) == 1)
        kept = json.loads(redis_server.client().hget(INSERT_CHANGES, change_id) or "")
        assert (kept["via"], kept["change"]["by"], kept["change"]["pocket"]) == ("cell", "panel", 7)
        assert "prints the line of one that may" in connector.log.read_text()
