"""The other side of `insert-station connect`: a line that speaks, a real mosquitto, a receiver of webhooks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from producer.connect.connector_problems import current_states
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import new_id
from tests.forked_commands import RunningCommand, run_command, start_command
from tests.support import wait_until
from worker.embedded.redis_server import free_port

MOSQUITTO = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="there is no mosquitto here (Debian: mosquitto)")


def verdict(pocket: int, outcome: str = "intact", machine: str = "mill-1", head: str = "H12") -> VerdictAnswer:
    return VerdictAnswer(
        capture_id=new_id(),
        check_id=new_id(),
        machine=machine,
        head=head,
        pocket=pocket,
        outcome=outcome,  # type: ignore[arg-type]
        judged_at=datetime.now(UTC),
    )


def check(state: str = "go", replace: Sequence[int] = (), machine: str = "mill-1", head: str = "H12") -> CheckAnswer:
    return CheckAnswer(
        check_id=new_id(),
        machine=machine,
        head=head,
        operation="op-1",
        size=3,
        state=state,  # type: ignore[arg-type]
        replace=list(replace),
    )


def run_before_and_after(moment: datetime) -> tuple[CheckAnswer, CheckAnswer]:
    """Two runs of the head that are a go: one begun a minute before a moment, one a minute after."""
    before, after = (
        CheckAnswer(**check().model_dump(exclude={"schema_version"}) | {"begun_at": moment + timedelta(minutes=minute)})
        for minute in (-1, 1)
    )
    return before, after


def fault() -> FaultAnswer:
    return FaultAnswer(capture_id=new_id(), reason="image_missing", at=datetime.now(UTC))


class ConnectProcess:
    """A real `insert-station connect run`."""

    def __init__(self, folder: Path, redis_url: str, file: str):
        self.data = folder / "line"
        self.file = folder / "connect.toml"
        self.file.write_text(file, encoding="utf-8")
        self.log = folder / "connect.log"
        self._environment = os.environ | {
            "INSERTS_DATA": str(self.data),
            "INSERTS_REDIS_URL": redis_url,
            "INSERTS_CONNECT": str(self.file),
        }
        self._process: RunningCommand | None = None

    def start(self) -> None:
        """Start it, and wait until what the line says from now on will be told."""
        self._process = start_command("insert-station", "connect", "run", environment=self._environment, log=self.log)
        wait_until(lambda: self._begun() or self._process.poll() is not None, what="a connector that reads")
        assert self._process.poll() is None, self.log.read_text()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold it where it is; it finds the world changed when it goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        yield
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=30)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_command("insert-station", "connect", *arguments, environment=self._environment)

    def status(self) -> dict[str, dict[str, Any]]:
        """What `status --json` prints, without a process."""
        with self._deliveries() as log:
            return {sink.name: vars(sink) for sink in current_states(log)}

    def delivered(self, sink: str, head: str) -> int:
        """How many events of a head a sink has taken; but for holds, which a slow line says of a run that lasts."""
        with self._deliveries() as log:
            rows = log.latest(sink, "delivered", 10_000)
        return sum(getattr(row.event.data, "head", None) == head and row.event.kind != "hold" for row in rows)

    def position(self) -> str:
        """Up to where it has read the plant's stream."""
        with self._deliveries() as log:
            return log.note("position") or "0-0"

    def _begun(self) -> bool:
        if not (self.data / "connect" / "deliveries.db").exists():
            return False
        with self._deliveries() as log:
            return log.note("position") is not None

    @contextmanager
    def _deliveries(self) -> Iterator[DeliveryLog]:
        log = DeliveryLog(self.data / "connect" / "deliveries.db")
        try:
            yield log
        finally:
            log.close()


@contextmanager
def connecting(folder: Path, redis_url: str, file: str) -> Iterator[ConnectProcess]:
    process = ConnectProcess(folder, redis_url, file)
    process.start()
    try:
        yield process
    finally:
        process.kill()


class Mosquitto:
    """A real broker, which may be killed and started again; it keeps nothing over that."""

    def __init__(self, folder: Path, lines: Sequence[str] = ("allow_anonymous true",)):
        self.port = free_port()
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text("\n".join([f"listener {self.port} 127.0.0.1", "persistence false", *lines]))
        self._process: RunningCommand | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", self._configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def read_rules(self, topic: str, *, refuses: bool) -> None:
        """Have it read its file of rules anew, by which it takes, or refuses, what is published at that topic."""
        assert self._process is not None
        answers: list[bool] = []
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.on_publish = lambda _client, _data, _number, reason, _properties: answers.append(reason.is_failure)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: client.publish(topic, b"", qos=1) and refuses in answers, what="a broker's new rules")
        client.disconnect()
        client.loop_stop()


class Listener:
    """Hears everything that a broker has to say, and comes back when the broker does."""

    def __init__(self, port: int, **access: str):
        self.heard: list[tuple[str, bytes, bool]] = []
        self.subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self._client.reconnect_delay_set(0.1, 0.2)
        if access:
            self._client.username_pw_set(access["user"], access["password"])
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_message = lambda _client, _data, it: self.heard.append((it.topic, it.payload, it.retain))
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        assert self.subscribed.wait(60)

    def events(self, topic: str = "/event") -> list[dict[str, Any]]:
        return [json.loads(payload) for where, payload, _ in list(self.heard) if where.endswith(topic)]

    def latest(self, topic: str) -> bytes | None:
        return next((payload for where, payload, _ in reversed(list(self.heard)) if where == topic), None)

    def publish(self, topic: str, payload: bytes) -> None:
        """Have the broker retain it, as another client has told it."""
        self._client.publish(topic, payload, qos=1, retain=True)

    def hear_all(self) -> None:
        """Return when everything that the broker had taken before has been heard."""
        self._client.publish("listener", b"all", qos=1)
        wait_until(lambda: self.latest("listener") is not None, what="all that the broker has")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def go_down(broker: Mosquitto, listener: Listener, connector: ConnectProcess) -> None:
    """Kill a broker when what it has taken is heard: the rest would die with it, which is no fault of who gave it."""
    with connector.paused():
        listener.hear_all()
        broker.kill()


def come_back(broker: Mosquitto, listener: Listener, connector: ConnectProcess) -> None:
    """Start it again, empty, the listener first: no broker keeps an event that nobody has subscribed to."""
    with connector.paused():
        listener.subscribed.clear()
        broker.start()
        assert listener.subscribed.wait(60)


class Receiver:
    """A receiver of webhooks on this machine; `answers` are the status codes of the next requests, then 204."""

    def __init__(self, port: int = 0):
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.taken: list[dict[str, Any]] = []
        self.answers: list[int | tuple[int, dict[str, str]]] = []
        self._connections: list[socket.socket] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                receiver._connections.append(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((dict(self.headers), body))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                code, headers = answer if isinstance(answer, tuple) else (answer, {})
                if 200 <= code < 300:
                    receiver.taken.append(json.loads(body))
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """End: what is connected is cut off too."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            with suppress(OSError):  # it was cut off before
                connection.shutdown(socket.SHUT_RDWR)


def in_order(events: Sequence[dict[str, Any]], said: Sequence[VerdictAnswer]) -> bool:
    """Whether each pocket's verdicts came once and in the order in which the line said them."""
    came: dict[int, list[str]] = {}
    for event in events:
        came.setdefault(event["data"]["pocket"], []).append(event["data"]["capture_id"])
    expected: dict[int, list[str]] = {}
    for answer in said:
        expected.setdefault(answer.pocket, []).append(str(answer.capture_id))
    return came == expected


def once(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without those that came again under the same id."""
    return list({event["id"]: event for event in events}.values())
