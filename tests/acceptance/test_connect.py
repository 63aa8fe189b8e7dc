"""A head goes through a real line, and each of the plant's systems, away in the middle, has every answer once in order.

One line for all: a station, a worker, and a connector that tells a broker, a receiver of webhooks, the readers of our
OPC UA server and a PLC.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from asyncua import ua

from db.engine import migrate
from db.engine.database import Database
from db.learning import model_registry, reviews
from db.learning.model_registry import Model
from db.line import insert_changes
from db.line.insert_changes import InsertChange
from producer.connect.opcua.users import user_line
from producer.connect.sinks.signature import new_secret
from producer.contract.event import new_id
from producer.contract.news_look import LOOKED
from producer.contract.plant_news import Hold
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import start_command
from tests.integration.opcua import PASSWORD, Plant, event_of
from tests.integration.plant import (
    MOSQUITTO,
    ConnectProcess,
    Listener,
    Mosquitto,
    Receiver,
    come_back,
    go_down,
    needs_mosquitto,
    once,
    run_before_and_after,
)
from tests.integration.plc import Plc
from tests.support import RedisProcess, wait_until
from worker.line.notifier import Notifier

MACHINE = "mill-1"
POCKETS = 3
NO_PHOTOGRAPH = b"insert-inspection: no photograph\nthe camera is away\n"


class Head:
    """What a head's answers are to be: of two checks, one after the other."""

    def __init__(self, name: str):
        self.name = name
        self.checks: list[str] = []
        self.captures: dict[int, list[str]] = {pocket: [] for pocket in range(1, POCKETS + 1)}

    def assert_told(self, events: Sequence[dict[str, Any]]) -> None:
        """Every answer is there once, each pocket's in order, and each check after its verdicts."""
        own = [event["data"] for event in events if event["data"].get("head") == self.name]
        verdicts = [data for data in own if data["kind"] == "verdict"]
        told = {pocket: [one["capture_id"] for one in verdicts if one["pocket"] == pocket] for pocket in self.captures}
        assert told == self.captures
        assert [data["check_id"] for data in own if data["kind"] == "check"] == self.checks
        for check_id in self.checks:
            assert [data["kind"] for data in own if data["check_id"] == check_id][-1] == "check"


class Line:
    """Everything, running."""

    def __init__(self, folder: Path, parts: ExitStack):
        self.folder = folder
        self.redis = RedisProcess(folder / "redis")
        self.redis.start()
        parts.callback(self.redis.kill)
        self.receivers = [Receiver()]
        self.port = self.receivers[0].port
        self.plant, self.plc = Plant(folder), Plc(folder)
        with self.plant.users.open("a", encoding="utf-8") as users:
            users.write(user_line("panel", PASSWORD, may_change_inserts=True) + "\n")
        self.plc.start()
        parts.callback(self.plc.kill)
        self.broker = Mosquitto(folder) if MOSQUITTO else None
        if self.broker:
            self.broker.start()
            parts.callback(self.broker.kill)
        self.connector = ConnectProcess(folder, self.redis.url, self._file())
        self.connector.start()
        parts.callback(self.connector.kill)
        self.listener = Listener(self.broker.port) if self.broker else None
        url = f"sqlite:///{folder / 'inserts.db'}"
        migrate.upgrade(url)
        self.database = parts.enter_context(closing(Database(url)))
        self._change_models()
        environment = os.environ | {
            "INSERTS_DATA": str(folder),
            "INSERTS_REDIS_URL": self.redis.url,
            "INSERTS_DATABASE_URL": url,
            "INSERTS_PROCESSES": "1",
        }
        self._environment = environment
        self.start_worker()
        parts.callback(lambda: self.worker.kill())
        outbox = parts.enter_context(closing(Outbox(folder / "outbox.db")))
        store = FolderStore(folder / "images")
        self.station = parts.enter_context(Station("station-1", store, outbox, self.redis.url))
        self._images = [image for image, _ in labelled_images(36, seed=7, size=224)]

    def start_worker(self) -> None:
        log = self.folder / "worker.log"
        self.worker = start_command("insert-worker", "run", environment=self._environment, log=log)

    @contextmanager
    def without_worker(self, *, hangs: bool) -> Iterator[None]:
        """The worker hangs, or is killed, until the block ends."""
        if hangs:
            self.worker.send_signal(signal.SIGSTOP)  # its lease ends by itself
        else:
            self.worker.kill()
            self.worker.wait()
            self.redis.client().pexpire(LOOKED, 1)  # as after twenty seconds
        try:
            yield
        finally:
            if hangs:
                self.worker.send_signal(signal.SIGCONT)
            else:
                self.start_worker()

    def check(self, head: Head, images: Sequence[bytes] = ()) -> None:
        """Have the head checked once, to the end."""
        check_id, of_pocket = new_id(), images or [self._images.pop() for _ in head.captures]
        head.checks.append(str(check_id))
        awaited: list[UUID] = [check_id]
        for pocket, image in zip(head.captures, of_pocket, strict=True):
            event = self.station.submit(
                image,
                machine=MACHINE,
                head=head.name,
                pocket=pocket,
                operation=f"op-{len(head.checks)}",
                check_id=check_id,
                check_size=len(head.captures),
            )
            head.captures[pocket].append(str(event.capture_id))
            awaited.append(event.capture_id)
        assert len(self.station.wait_for(awaited, 120)) == len(awaited), (self.folder / "worker.log").read_text()

    def told(self) -> list[dict[str, Any]]:
        """What the receivers of webhooks were told."""
        return once([event for receiver in self.receivers for event in receiver.taken])

    def delivered(self, sink: str, head: Head) -> None:
        """Wait until a sink has taken all that there is of a head."""
        all_of_it = (1 + len(head.captures)) * len(head.checks)
        wait_until(lambda: self.connector.delivered(sink, head.name) == all_of_it, 60, f"that {sink} has all")

    def _file(self) -> str:
        secret = self.folder / "secret"
        secret.write_text(new_secret())
        broker = f'[mqtt.broker]\nurl = "mqtt://127.0.0.1:{self.broker.port}"\n' if self.broker else ""
        return (
            f"{self.plant.file()}{broker}"
            f'[webhook.mes]\nurl = "http://127.0.0.1:{self.port}/"\nallow = ["127.0.0.0/8"]\n'
            f'secret_files = ["{secret}"]\n' + self.plc.configured().replace('site = "plant-1"\n', "")
        )

    def _change_models(self) -> None:
        now = datetime.now(UTC)
        with self.database.transaction() as session:
            model_registry.register(session, Model("m-1", "b", "f", now, ("intact", "worn"), 3, {}, "m-1", "0" * 64))
            model_registry.start_shadow(session, "m-1", by="ana", reason="a try", at=now)
            model_registry.end_shadow(session, by="ana", reason="enough", at=now)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with ExitStack() as parts:
        yield Line(tmp_path_factory.mktemp("plant"), parts)


def through(line: Line, head: Head, goes: Callable[[], None], comes_back: Callable[[], None], sink: str) -> None:
    """A check while the sink is there, and one while it is away."""
    line.check(head)
    line.delivered(sink, head)
    goes()
    line.check(head)
    before = line.connector.delivered(sink, head.name)
    comes_back()
    line.delivered(sink, head)
    assert line.connector.delivered(sink, head.name) > before, "it was away"


@needs_mosquitto
def test_a_broker_that_dies_in_the_middle(line: Line) -> None:
    head, broker, listener = Head("H-broker"), line.broker, line.listener
    assert broker is not None
    assert listener is not None
    through(
        line,
        head,
        lambda: go_down(broker, listener, line.connector),
        lambda: come_back(broker, listener, line.connector),
        "broker",
    )
    wait_until(lambda: sum(event["data"]["kind"] == "check" for event in once(listener.events())) >= 2)
    head.assert_told(once(listener.events()))


def test_a_receiver_that_ends_in_the_middle(line: Line) -> None:
    head = Head("H-mes")
    through(line, head, lambda: line.receivers[-1].close(), lambda: line.receivers.append(Receiver(line.port)), "mes")
    head.assert_told(line.told())


def test_an_opc_ua_server_that_dies_in_the_middle(line: Line) -> None:
    head = Head("H-cell")
    through(line, head, line.connector.kill, line.connector.start, "cell")
    with line.plant.session() as client:
        client.load()
        head.assert_told([event_of(result) for result in client.all_results()])
        assert client.variable(f"{MACHINE}/{head.name}", "CheckId") == head.checks[-1]


def test_an_insert_change_that_a_panel_tells_by_opc_ua_is_in_the_database(line: Line) -> None:
    head = Head("H-panel")
    line.check(head)
    with line.plant.session(user="panel") as client:
        pocket = ua.Variant(2, ua.VariantType.Int32)
        change_id = client.system.call_method(f"{client.ns}:ReportInsertChange", MACHINE, head.name, pocket, "", "")

    def changes() -> list[InsertChange]:
        with line.database.reading() as session:
            return insert_changes.of_pocket(session, MACHINE, head.name, 2)

    wait_until(lambda: len(changes()) == 1, 30, "the change in the database")
    assert changes()[0].by == "panel"
    wait_until(lambda: change_id in [event["data"].get("change_id") for event in line.told()], 30, "what became of it")


def test_a_plc_that_dies_in_the_middle(line: Line) -> None:
    head = Head("H12")
    through(line, head, line.plc.kill, line.plc.start, "mill")
    written = zip(line.plc.values("Sequence"), line.plc.values("Operation"), strict=True)
    # Without an operation no check holds: none has ended yet, or a verdict that is not intact came before its check.
    sequences, operations = zip(*((sequence, operation) for sequence, operation in written if operation), strict=True)
    assert list(operations) == [f"op-{1 + (sequence != sequences[0])}" for sequence in sequences]
    assert sorted(set(sequences)) == list(dict.fromkeys(sequences))
    assert len(set(sequences)) == 2


def test_a_hold_takes_the_go_from_whoever_reads_by_opc_ua_and_from_a_plc_until_the_next_run(line: Line) -> None:
    at = datetime.now(UTC) + timedelta(minutes=2)  # behind what the line has checked
    run, later = run_before_and_after(at)
    with closing(Notifier(line.redis.url)) as worker:
        line.plc.wait_for(run.check_id)
        worker.send([("station-1", run)])
        wait_until(lambda: line.plc.decided(run.check_id) == ["hold", "release"], 30)
        wait_until(lambda: line.connector.status()["cell"]["waiting"] == 0)
        with line.plant.session() as client:

            def shown() -> tuple[str, int]:
                return client.variable(f"{MACHINE}/H12", "State"), line.plc.values("State")[-1]

            assert shown() == ("go", 1)
            worker.emit([Hold(check_id=new_id(), machine=MACHINE, head="H12", pocket=2, at=at)])
            wait_until(lambda: shown() == ("", 0), 30)
            wait_until(lambda: line.plc.decided(run.check_id) == ["hold", "release", "hold"], 30)
            line.plc.wait_for(later.check_id)
            worker.send([("station-1", later)])
            wait_until(lambda: shown() == ("go", 1), 30)
            assert client.variable(f"{MACHINE}/H12", "CheckId") == str(later.check_id)
        wait_until(lambda: line.plc.decided(later.check_id) == ["hold", "release"], 30)


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is killed"])
def test_no_system_shows_a_state_while_no_worker_looks_whether_a_person_has_seen_damage(
    line: Line, hangs: bool
) -> None:
    head = Head(f"H-{hangs}")
    line.check(head)
    line.delivered("cell", head)
    states = {"cell", "mill", *(["broker"] if line.broker else [])}

    def up() -> set[str]:
        return {name for name, system in line.connector.status().items() if system["up"]}

    wait_until(lambda: up() >= states, 60, "that all systems are told")
    with line.plant.session() as client:
        assert client.variable(f"{MACHINE}/{head.name}", "State")
    with line.without_worker(hangs=hangs):
        with line.database.transaction() as session:
            capture = UUID(head.captures[2][0])
            reviews.add(session, capture_id=capture, label="broken", by="ana", at=datetime.now(UTC))
        wait_until(lambda: not up() & states, 40, "that no system is vouched for")
        assert "mes" in up(), "who has events alone has them all the same"
        problems = {name: system["problem"] for name, system in line.connector.status().items()}
        assert all("no worker looks for news" in problems[name] for name in states)
        assert "no worker looks for news" in line.connector.command("status").stdout
        with pytest.raises(ConnectionRefusedError), line.plant.session():
            pass
        if line.listener is not None:
            wait_until(lambda: line.listener.latest("inserts/plant-1/available") == b"offline")
    wait_until(lambda: up() >= states, 60, "that all systems are told again")
    with line.plant.session() as client:
        wait_until(lambda: client.variable(f"{MACHINE}/{head.name}", "State") == "replace", 30)


def test_what_is_of_no_head_reaches_every_sink_by_the_same_id(line: Line) -> None:
    head = Head("H-dark")
    head.captures = {pocket: [] for pocket in range(1, 6)}
    line.check(head, [NO_PHOTOGRAPH + str(pocket).encode() for pocket in head.captures])

    def news(events: Sequence[dict[str, Any]]) -> dict[str, str]:
        kinds = ("inserts.model_change", "inserts.fault_run")
        return {event["id"]: event["data"].get("action", "run") for event in events if event["type"] in kinds}

    wait_until(lambda: len(news(line.told())) == 3, what="that the run is told")
    assert sorted(news(line.told()).values()) == ["ended", "promoted", "run"]
    wait_until(lambda: line.connector.status()["cell"]["waiting"] == 0)
    with line.plant.session() as client:
        client.load()
        assert news([event_of(result) for result in client.all_results()]) == news(line.told())
    if line.listener is not None:
        wait_until(lambda: news(line.listener.events("plant-1/event")) == news(line.told()))
        states = [f"inserts/plant-1/{each}" for each in ("model/shadow", "fault-run/station-1")]
        told = [json.loads(line.listener.latest(topic) or b"")["data"] for topic in states]
        assert [told[0]["action"], told[1]["ended"]] == ["ended", False]
