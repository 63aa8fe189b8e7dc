"""What is said while a system is reached, or while much waits for it, is shown before we vouch for what it shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from producer.connect.configuration.connector_file import read_connector_file
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.opcua.vision_system import VisionSystem
from producer.connect.sinks import mqtt
from producer.connect.sinks.opening import open_sink
from producer.connect.sinks.plc import Plc as PlcSink
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.plant_event import plant_event
from tests.integration.opcua import Plant
from tests.integration.plant import Listener, Mosquitto, check, needs_mosquitto, verdict
from tests.integration.plc import Plc
from tests.support import wait_until

RUN = check("go")
BACKLOG = [verdict(pocket, head="H99") for pocket in (1, 2, 3)]


def overtaken(run: CheckAnswer) -> CheckAnswer:
    return run.model_copy(update={"state": "replace", "replace": [1]})


class System:
    """The one system of a connector's file, of whose head the line has said `go`; it is not reached yet."""

    def __init__(self, file: str, log: DeliveryLog, changes: InsertChangeOutbox):
        path = log.path.parent / "connect.toml"
        path.write_text(file, encoding="utf-8")
        configuration = read_connector_file(path)
        [(self._name, sink)] = configuration.sinks()
        self._log = log
        self.sink = open_sink(self._name, configuration.site, sink, log, changes)
        self.hears(RUN)

    def hears(self, *answers: CheckAnswer | VerdictAnswer) -> None:
        """Keep for it what the line says next."""
        self._log.keep({self._name: [plant_event("plant-1", "station-1", answer, 1.0) for answer in answers]}, {})

    def has_a_go_and_much_that_waits(self) -> None:
        """It is told of a `go`, and of the first only of what waits then, before what overtakes that."""
        run = check("go")
        self.hears(run)
        self._is_told(9)
        self.hears(*BACKLOG, overtaken(run))
        self._is_told(1)

    def _is_told(self, most: int) -> None:
        due = self._log.due(self._name, time.time(), most)
        outcomes = [*self.sink.tell(due)]
        assert [one.delivery for one in outcomes if one.refused is None] == due
        self._log.delivered(self._name, due, time.time(), {})

    def hears_before(self, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str) -> None:
        """Have the line overtake the `go` before a step by which it is reached."""
        goes_on: Callable[..., Any] = getattr(owner, step)

        def says(*arguments: Any) -> Any:
            monkeypatch.setattr(owner, step, goes_on)
            self.hears(overtaken(RUN))
            return goes_on(*arguments)

        monkeypatch.setattr(owner, step, says)


@contextmanager
def system(folder: Path, file: str) -> Iterator[System]:
    with closing(DeliveryLog(folder / "deliveries.db")) as log, closing(InsertChangeOutbox(folder)) as changes:
        started = System(file, log, changes)
        try:
            yield started
        finally:
            started.sink.close()


@needs_mosquitto
def test_a_broker_has_no_go_that_is_overtaken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    broker = Mosquitto(tmp_path)
    request.addfinalizer(broker.kill)
    broker.start()
    listener, root = Listener(broker.port), "inserts/plant-1"
    request.addfinalizer(listener.close)
    state = f"{root}/mill-1/H12/state"
    with system(tmp_path, f'site = "plant-1"\n[mqtt.broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\n') as told:
        told.hears_before(monkeypatch, mqtt, "retained_topics")
        told.sink.open()
        wait_until(lambda: listener.latest(f"{root}/available") == b"online")
        heard = [(topic, text) for topic, text, _ in listener.heard if topic == state or text == b"online"]
        assert [topic for topic, _ in heard] == [state, f"{root}/available"]
        assert b'"state":"replace"' in heard[0][1]
        told.has_a_go_and_much_that_waits()
        wait_until(lambda: b'"state":"replace"' in (listener.latest(state) or b""))


def test_no_heartbeat_vouches_for_a_go_that_is_overtaken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    plc = Plc(tmp_path)
    request.addfinalizer(plc.kill)
    plc.start()
    wait_until(plc.listens)
    with system(tmp_path, plc.configured()) as told:
        told.hears_before(monkeypatch, PlcSink, "_leave")
        told.sink.open()
        written = plc.written("State", "Heartbeat")
        assert written.index(["State", 2]) < written.index(["Heartbeat", 1])
        told.has_a_go_and_much_that_waits()
        assert plc.values("State")[-4:] == [0, 1, 0, 2]


def test_our_server_shows_no_go_that_is_overtaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(tmp_path)
    with system(tmp_path, plant.file()) as told:
        told.hears_before(monkeypatch, VisionSystem, "build")
        told.sink.open()
        with plant.session() as client:
            assert client.variable("mill-1/H12", "State") == "replace"
            told.has_a_go_and_much_that_waits()
            assert client.variable("mill-1/H12", "State") == "replace"
