"""What the line says reaches a receiver of webhooks, signed, once and in order, whatever the receiver does."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from producer.connect.configuration.connector_file import read_connector_file
from producer.connect.connector import Connector
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.sinks.signature import new_secret
from producer.contract.plant_event import plant_event
from tests.integration.plant import ConnectProcess, Receiver, check, connecting, fault, in_order, once, verdict
from tests.support import RedisProcess, wait_until
from worker.embedded.redis_server import free_port
from worker.line.notifier import Notifier


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def file(folder: Path, port: int, more: str = "", secrets: int = 1, allow: str = "127.0.0.0/8") -> str:
    files = [folder / f"secret-{number}" for number in range(secrets)]
    for secret in files:
        secret.write_text(new_secret())
    return (
        f'site = "plant-1"\n[webhook.mes]\nurl = "http://127.0.0.1:{port}/inserts?line=1"\n'
        f'allow = ["{allow}"]\nsecret_files = {json.dumps([str(secret) for secret in files])}\n{more}'
    )


def deliveries(connector: ConnectProcess) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(connector.command("deliveries", "--json").stdout)
    return rows


def test_each_event_is_signed_with_every_secret_and_filtered(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, receiver: Receiver
) -> None:
    only = 'kinds = ["check", "fault"]\nmachines = ["mill-1", "mil-2"]'
    with connecting(tmp_path, redis_server.url, file(tmp_path, receiver.port, only, secrets=2)) as connector:
        answers = [verdict(1), check("go", machine="mill-2"), check("replace", [2]), fault()]
        line.send([("station-1", answer) for answer in answers])
        wait_until(lambda: len(receiver.taken) == 2)
        assert [event["type"] for event in receiver.taken] == ["inserts.check", "inserts.fault"]
        status = connector.command("status")
        assert (status.returncode, "has not mentioned mil-2 yet: is the name right?" in status.stdout) == (0, True)
        for headers, body in receiver.requests:
            for number in range(2):
                assert Verifier((tmp_path / f"secret-{number}").read_text()).verify(body, headers)
            assert headers["webhook-id"] == json.loads(body)["id"]
        secret = (tmp_path / "secret-0").read_text().removeprefix("whsec_")
        assert base64.b64decode(secret) not in connector.log.read_bytes()
        assert secret not in connector.log.read_text()
        # Once more, where a person asks for it: under the same id.
        event_id = receiver.taken[0]["id"]
        assert connector.command("replay", "mes", event_id).returncode == 0
        wait_until(lambda: len(receiver.taken) == 3)
        assert receiver.taken[2]["id"] == event_id
        # What is not known is refused before anything is done.
        wrong = connector.command("replay", "mes", event_id, "f00")
        assert (wrong.returncode, "mes has no event f00, so nothing was changed" in wrong.stderr) == (2, True)
        for arguments in (("deliveries", "--system", "mess"), ("replay", "mess", event_id), ("enable", "mess")):
            typo = connector.command(*arguments)
            assert (typo.returncode, "there is no system mess: there are mes" in typo.stderr) == (2, True)
        # A secret that is another one from now on counts for the next event, over the connection that there is.
        (tmp_path / "secret-0").write_text(new_secret())
        line.send([("station-1", fault())])
        wait_until(lambda: len(receiver.taken) == 4)
        headers, body = receiver.requests[-1]
        assert Verifier((tmp_path / "secret-0").read_text()).verify(body, headers)


def test_a_receiver_that_is_away_for_long_gets_all_in_order(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier
) -> None:
    port = free_port()
    said = [verdict(1 + number % 7) for number in range(150)]
    with connecting(tmp_path, redis_server.url, file(tmp_path, port)) as connector:
        line.send([("station-1", answer) for answer in said[:60]])
        wait_until(lambda: connector.status()["mes"]["waiting"] == 60)
        wait_until(lambda: f"no answer: 127.0.0.1:{port}: Failed" in str(connector.status()["mes"]["problem"]))
        told = connector.command("status").stdout
        assert "mes: away since" in told
        assert "60 events waiting, the oldest of" in told
        connector.kill()
        gone = connector.command("status")
        assert (gone.returncode, "no `connect run` runs" in gone.stderr) == (1, True)
        line.send([("station-1", answer) for answer in said[60:]])  # while nobody reads
        connector.start()
        receiver = Receiver(port)
        receiver.answers = [204] * 10 + [503, (429, {"Retry-After": "1"})]
        wait_until(lambda: len(once(receiver.taken)) == 150, 60)
        assert in_order(once(receiver.taken), said)
        receiver.close()


def test_a_check_that_changes_and_changes_back_is_told_each_time(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, receiver: Receiver
) -> None:
    first = check("replace", [2])
    then = first.model_copy(update={"state": "go", "replace": []})
    with connecting(tmp_path, redis_server.url, file(tmp_path, receiver.port)) as connector:
        line.send([("station-1", answer) for answer in (first, then, then)])
        wait_until(lambda: len(receiver.taken) == 2)
        connector.kill()
        line.send([("station-1", answer) for answer in (then, first, first, verdict(1))])
        connector.start()
        wait_until(lambda: receiver.taken[-1]["type"] == "inserts.verdict")
    states = [event["data"].get("state") for event in once(receiver.taken)]
    assert states == ["replace", "go", "replace", None]


def test_what_is_refused_holds_up_its_head_and_no_other(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, receiver: Receiver
) -> None:
    with connecting(tmp_path, redis_server.url, file(tmp_path, receiver.port)) as connector:
        receiver.answers = [400]
        one, other = [verdict(1), verdict(2)], [verdict(1, head="H13"), verdict(2, head="H13")]
        line.send([("station-1", answer) for answer in (*one, *other)])
        wait_until(lambda: len(receiver.taken) == 4)  # the refused one is tried again after five seconds
        heads = [event["data"]["head"] for event in receiver.taken]
        assert heads == ["H13", "H13", "H12", "H12"]
        assert [event["data"]["pocket"] for event in receiver.taken] == [1, 2, 1, 2]
        assert sorted(row["attempts"] for row in deliveries(connector)) == [0, 0, 0, 1]
        log = connector.log.read_text()
        assert "mes refuses an event: it is tried again" in log
        assert "it answered 400" in log


@pytest.mark.parametrize("refusal", [400, 401])
def test_what_was_refused_for_its_signature_is_taken_once_the_secret_is_mended(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, receiver: Receiver, refusal: int
) -> None:
    with connecting(tmp_path, redis_server.url, file(tmp_path, receiver.port)) as connector:
        receiver.answers = [refusal] * 1000
        line.send([("station-1", verdict(1)), ("station-1", verdict(1, head="H13"))])
        # Refused for what it is it waits for five minutes by now, else for a minute at most.
        wait_until(lambda: receiver.requests and "answered 4" in connector.command("status").stdout)
        tries = 0 if refusal == 401 else 2
        wait_until(lambda: [row["attempts"] for row in deliveries(connector)] == [tries, tries])
        (tmp_path / "secret-0").write_text(new_secret())
        receiver.answers = []
        wait_until(lambda: len(receiver.taken) == 2, 60)
        assert {row["state"] for row in deliveries(connector)} == {"delivered"}


def test_a_receiver_that_wants_no_more_is_left_alone_until_a_person_says_so(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, receiver: Receiver
) -> None:
    with connecting(tmp_path, redis_server.url, file(tmp_path, receiver.port)) as connector:
        receiver.answers = [410]
        line.send([("station-1", verdict(1))])
        wait_until(lambda: connector.status()["mes"]["disabled"])
        line.send([("station-1", verdict(2))])
        wait_until(lambda: connector.status()["mes"]["waiting"] == 2)
        assert connector.command("status").returncode == 1
        assert len(receiver.requests) == 1
        assert connector.command("enable", "mes").returncode == 0
        wait_until(lambda: [event["data"]["pocket"] for event in receiver.taken] == [1, 2])


def test_no_redirect_is_followed_and_no_other_network_is_asked(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, receiver: Receiver
) -> None:
    elsewhere = Receiver()
    with connecting(tmp_path, redis_server.url, file(tmp_path, receiver.port)) as connector:
        receiver.answers = [(307, {"Location": f"http://127.0.0.1:{elsewhere.port}/"})]
        line.send([("station-1", verdict(1))])
        wait_until(lambda: "is not followed" in connector.command("deliveries").stdout)
        assert not elsewhere.requests
    elsewhere.close()
    other = tmp_path / "other"
    other.mkdir()
    with connecting(other, redis_server.url, file(other, receiver.port, allow="10.0.0.0/8")) as connector:
        asked = len(receiver.requests)
        line.send([("station-1", verdict(2))])
        wait_until(lambda: "`allow`" in str(connector.status()["mes"]["problem"]))
        assert len(receiver.requests) == asked


def test_a_second_connector_is_refused_and_metrics_tell_the_lag(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("INSERTS_METRICS_PORT", str(port))
    with connecting(tmp_path, redis_server.url, file(tmp_path, free_port())) as connector:
        second = connector.command("run")
        assert (second.returncode, "another `connect run` has" in second.stderr) == (2, True)
        line.send([("station-1", verdict(1))])
        wait_until(lambda: connector.status()["mes"]["waiting"] == 1)
        wait_until(lambda: connector.status()["mes"]["problem"])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        assert 'inserts_connect_waiting_events{sink="mes"} 1.0' in text
        assert 'inserts_connect_up{sink="mes"} 0.0' in text


def test_a_system_that_is_away_for_good_holds_up_no_other(
    tmp_path: Path, redis_server: RedisProcess, line: Notifier, receiver: Receiver
) -> None:
    own = tmp_path / "away.toml"
    other = file(tmp_path, free_port()).partition("\n")[2].replace("webhook.mes", "webhook.away")
    own.write_text(file(tmp_path, receiver.port) + other)
    with closing(DeliveryLog(tmp_path / "deliveries.db")) as log, closing(InsertChangeOutbox(tmp_path)) as changes:
        waiting = [plant_event("plant-1", "station-1", verdict(pocket), 1.0) for pocket in range(1, 9)]
        log.keep({"away": waiting}, {"position": "0-0"})
        connector, stop = (
            Connector(read_connector_file(own), redis_server.url, log, changes, limit=5),
            threading.Event(),
        )
        running = threading.Thread(target=connector.run, args=(stop,))
        running.start()
        try:
            line.send([("station-1", verdict(pocket)) for pocket in range(1, 9)])
            wait_until(lambda: len(receiver.taken) == 8)
            away = [row.event for row in log.latest("away", "waiting", 100)]
            assert [event for event in away if event in waiting] == waiting[:2:-1]
        finally:
            stop.set()
            running.join()
