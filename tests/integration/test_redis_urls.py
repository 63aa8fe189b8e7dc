"""Redis by a socket of this machine, and what a wrong URL or password comes to in each process."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
import redis
from kombu.exceptions import OperationalError
from structlog.testing import capture_logs

from producer.contract.event import CaptureEvent, new_id
from producer.delivery.outbox import Outbox
from producer.delivery.redis_client import AnswerReader, EventSender
from producer.settings import StationSettings
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import run_command, start_command
from tests.support import RedisProcess, message, wait_until
from worker.embedded.redis_server import find_redis_server

COMMANDS = ["run", "learn", "beat"]


def test_a_line_works_over_a_socket_of_this_machine(tmp_path: Path, sqlite_url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # a short path
        path = Path(folder) / "redis.sock"
        command = [str(find_redis_server()), "--port", "0", "--unixsocket", str(path), "--requirepass", "pass/word"]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        settings = StationSettings(redis_url=f"unix://{path}?db=1", redis_password="pass/word")
        environment = os.environ | {
            "INSERTS_REDIS_URL": f"redis+socket://{path}?virtual_host=1",
            "INSERTS_REDIS_PASSWORD": "pass/word",
            "INSERTS_DATA": str(tmp_path),
            "INSERTS_DATABASE_URL": sqlite_url,
            "INSERTS_PROCESSES": "2",
        }
        log, outbox = tmp_path / "worker.log", Outbox(tmp_path / "outbox.db")
        worker = start_command("insert-worker", "run", environment=environment, log=log)
        try:
            photograph = next(image for image, _ in labelled_images(1, seed=3, size=256))
            with Station("station-1", FolderStore(tmp_path / "images"), outbox, settings.broker_url()) as station:
                event = station.submit(
                    photograph, machine="m", head="h", pocket=1, operation="o", check_id=new_id(), check_size=1
                )
                assert station.wait_for([event.capture_id], 180), log.read_text()
        finally:
            worker.kill()
            worker.wait()
            server.kill()
            server.wait()
            outbox.close()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("url", "words"), [("redis://127.0.0.1:6379/abc", "must be a number"), ("http://h", "must begin with")]
)
def test_a_url_that_is_none_is_refused_at_the_start(tmp_path: Path, command: str, url: str, words: str) -> None:
    environment = os.environ | {"INSERTS_REDIS_URL": url, "INSERTS_DATA": str(tmp_path)}
    done = run_command("insert-worker", command, environment=environment)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_station_with_a_url_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(next(image for image, _ in labelled_images(1, seed=3, size=64)))
    environment = os.environ | {"INSERTS_REDIS_URL": "redis://127.0.0.1/abc", "INSERTS_DATA": str(tmp_path / "line")}
    where = ["--machine", "m", "--head", "h", "--pocket", "1", "--operation", "o"]
    done = run_command("insert-station", "publish", str(tmp_path / "1.jpg"), *where, environment=environment)
    assert done.returncode != 0
    assert "must be a number" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_queue_that_is_another_programs_is_said_at_the_start_and_ends_it(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str, command: str
) -> None:
    with redis.Redis.from_url(redis_server.url) as other:
        other.set("inspect", "a cache of another program")
        places = {
            "INSERTS_REDIS_URL": redis_server.url,
            "INSERTS_DATA": str(tmp_path),
            "INSERTS_DATABASE_URL": sqlite_url,
        }
        done = run_command("insert-worker", command, environment=os.environ | places)
        assert other.get("inspect") == b"a cache of another program"
    assert (done.returncode, "another program uses this Redis database too" in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_password_is_said_at_the_start_and_ends_it(
    tmp_path: Path, redis_server: RedisProcess, sqlite_url: str, command: str
) -> None:
    environment = os.environ | {
        "INSERTS_REDIS_URL": f"redis://:not-it@{redis_server.url.rpartition('@')[2]}",
        "INSERTS_DATA": str(tmp_path),
        "INSERTS_DATABASE_URL": sqlite_url,
    }
    done = run_command("insert-worker", command, environment=environment)
    assert done.returncode == 2
    assert "Redis does not let this process in" in done.stderr
    assert "Traceback" not in done.stderr
    assert "not-it" not in done.stderr


def test_an_unexpected_error_ends_neither_thread_of_a_station(
    tmp_path: Path, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged with its traceback, and both go on: the station sends and reads once it is over."""
    failing = {"send": True, "read": True}
    real_send, real_read = EventSender.send, AnswerReader.read

    def send(self: EventSender, *events: CaptureEvent) -> None:
        if failing["send"]:
            raise KeyError("No such transport: unix")
        real_send(self, *events)

    def read(self: AnswerReader) -> list[object]:
        if failing["read"]:
            raise KeyError("of any kind")
        return real_read(self)  # type: ignore[return-value]

    monkeypatch.setattr(EventSender, "send", send)
    monkeypatch.setattr(AnswerReader, "read", read)
    outbox = Outbox(tmp_path / "outbox.db")
    with (
        capture_logs() as said,
        Station("station-1", FolderStore(tmp_path / "images"), outbox, redis_server.url) as station,
    ):
        station.submit(b"\xff\xd8", machine="m", head="h", pocket=1, operation="o", check_id=new_id(), check_size=1)
        events = ["sending failed, and is tried again", "reading answers failed, and is tried again"]
        wait_until(lambda: set(events) <= {each["event"] for each in said}, what="both errors in the log")
        assert not station.flush(0)
        failing["send"] = failing["read"] = False
        assert station.flush(20)
        wait_until(lambda: "answers are read again" in {each["event"] for each in said}, what="answers that are read")
    outbox.close()


def test_a_database_that_redis_does_not_have_keeps_events_in_the_outbox(redis_server: RedisProcess) -> None:
    """Only Redis knows how many it has; a station goes on accepting and says why nothing leaves."""
    sender = EventSender(redis_server.url.removesuffix("/0") + "/99")
    with pytest.raises(OperationalError, match="index"):
        sender.send(CaptureEvent.from_message(message()))
    sender.close()
