"""`insert-worker standalone` and the station's commands on it, as a small shop uses them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from producer.connect.sinks.signature import new_secret
from producer.simulation.head import labelled_images
from tests.forked_commands import run_command, start_command
from tests.integration.plant import Receiver
from tests.support import program, wait_until
from worker.embedded.redis_server import free_port


class Shop:
    """A standalone system on a folder of its own."""

    def __init__(self, folder: Path):
        self.data = folder / "line"
        self.port = free_port()
        self.receiver = Receiver()
        secret, self._connect = folder / "secret", folder / "connect.toml"
        secret.write_text(new_secret())
        self._connect.write_text(
            f'site = "shop"\n[webhook.mes]\nurl = "http://127.0.0.1:{self.receiver.port}/"\nallow = ["127.0.0.0/8"]\n'
            f'secret_files = ["{secret}"]\nkinds = ["check"]\n'
        )
        self._system: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [program("insert-worker"), "standalone", "--data", str(self.data), "--port", str(self.port)]
        command += ["--connect", str(self._connect)]
        with (self.data.parent / "standalone.log").open("ab") as log:
            self._system = subprocess.Popen(command, stderr=log, stdout=log)
        # The last of the lines that say how to use it: the address of the console is among those before.
        wait_until(lambda: "a model:" in self.log(), 120, "the line")

    def stop(self) -> int:
        assert self._system is not None
        self._system.send_signal(signal.SIGTERM)
        return self._system.wait(60)

    @property
    def running(self) -> bool:
        return self._system is not None and self._system.poll() is None

    def log(self) -> str:
        return (self.data.parent / "standalone.log").read_text()

    def child(self, name: str) -> psutil.Process | None:
        assert self._system is not None
        for child in psutil.Process(self._system.pid).children(recursive=True):
            if name in " ".join(child.cmdline()):
                return child
        return None

    def station(self, *options: str) -> subprocess.CompletedProcess[str]:
        return run_command("insert-station", "--data", str(self.data), *options)


@pytest.fixture(scope="module")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    yield shop
    if shop.running:
        shop.stop()
    shop.receiver.close()


@pytest.fixture
def shop(premises: Shop) -> Shop:
    """At work, also where the test before has closed it."""
    if not premises.running:
        premises.start()
    return premises


def head(folder: Path, labels: tuple[str, ...]) -> Path:
    """A folder of photographs of a head whose inserts are so, named by pocket."""
    folder.mkdir()
    images = labelled_images(200, seed=21, size=256, head=2)
    for pocket, wanted in enumerate(labels, 1):
        image = next(image for image, label in images if label == wanted)
        (folder / f"{pocket}.jpg").write_bytes(image)
    return folder


def test_a_folder_as_a_camera(shop: Shop, tmp_path: Path) -> None:
    camera = tmp_path / "camera"
    (camera / "mill-1" / "H1" / "op-7").mkdir(parents=True)
    command = ("insert-station", "--data", str(shop.data), "watch", str(camera), "--check-size", "2", "--json")
    said = tmp_path / "said"
    watching = start_command(*command, log=tmp_path / "log", out=said)
    images = [image for image, _ in labelled_images(2, seed=3, size=256)]
    (camera / "mill-1" / "H1" / "op-7" / "1.jpg").write_bytes(images[0])
    (camera / "mill-1" / "H1" / "op-7" / "not-a-pocket.jpg").write_bytes(images[0])
    (camera / "mill-1" / "H1" / "op-7" / "2.jpg").write_bytes(images[1])
    # What is of no pocket may be any pocket's newest photograph: it counts as one pocket more.
    wait_until(lambda: said.read_text().count("\n") == 4, 60, "its answers")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 0
    answers = [json.loads(line) for line in said.read_text().splitlines()]
    (check,) = (answer for answer in answers if answer["kind"] == "check")
    assert (check["state"], check["size"], sum(answer["kind"] == "verdict" for answer in answers)) == ("review", 3, 3)
    assert sorted(p.name for p in (camera / "submitted").rglob("*.jpg")) == ["1.jpg", "2.jpg"]
    (reason,) = (camera / "rejected").rglob("*.reason.txt")
    assert "not-a-pocket" in reason.read_text()


def test_two_systems_do_not_share_a_folder(shop: Shop) -> None:
    second = run_command("insert-worker", "standalone", "--data", str(shop.data), "--port", str(free_port()))
    assert second.returncode == 2
    assert "in use" in second.stderr


def test_the_console_is_started_and_its_address_is_said(shop: Shop) -> None:
    address = re.search(r"in a browser:  (http://\S+)", shop.log())
    assert address is not None

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return bool(urllib.request.urlopen(f"{address[1]}health", timeout=5).read() == b"ok\n")  # noqa: S310
        return False

    wait_until(answers, 60, "the console")
    first = shop.child("db.commands.main")
    assert first is not None
    first.kill()
    wait_until(lambda: not first.is_running() and answers(), 60, "the console, started again")


def test_the_plant_s_systems_are_told_also_after_the_connector_died(shop: Shop, tmp_path: Path) -> None:
    connector = shop.child("connect run")
    assert connector is not None
    connector.kill()
    (tmp_path / "1.jpg").write_bytes(next(image for image, _ in labelled_images(1, seed=4, size=256)))
    checked = shop.station(
        "check", str(tmp_path), "--machine", "mill-1", "--head", "H2", "--operation", "op-1", "--json"
    )
    check_id = json.loads(checked.stdout)["check_id"]
    wait_until(lambda: [event["data"]["check_id"] for event in shop.receiver.taken].count(check_id) == 1, 60)


def test_a_day_in_a_small_shop(shop: Shop, labelled: Path, tmp_path: Path) -> None:
    where = ("--machine", "mill-1", "--head", "H1")
    good = head(tmp_path / "good", ("intact",) * 4)

    # No model yet: a person must look.
    checked = shop.station("check", str(good), *where, "--operation", "op-1", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["review"]) == (2, [1, 2, 3, 4]), checked.stderr

    # A first labelled set gives a model; it is in charge within seconds.
    assert run_command("insert-worker", "train", str(labelled), "--data", str(shop.data)).returncode == 0
    bad = head(tmp_path / "bad", ("broken",) * 4)

    def answered_by_the_model() -> bool:
        checked = shop.station("check", str(bad), *where, "--operation", "op-2", "--json")
        return checked.returncode == 1 and bool(json.loads(checked.stdout)["replace"])

    wait_until(answered_by_the_model, 60, "a model that finds broken inserts")

    # Parts that die are started again, and what was handed in meanwhile is judged.
    worker = shop.child("worker.commands.main run")
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    redis = shop.child("redis-server")
    assert redis is not None
    os.kill(redis.pid, signal.SIGKILL)
    published = shop.station(
        "publish", str(good / "1.jpg"), *where, "--operation", "op-3", "--pocket", "1", "--wait", "90"
    )
    # It was seen after op-1 already: its verdict stands, and says nothing of op-3.
    assert published.returncode == 2, published.stdout + published.stderr
    assert "op-3: review, look at 1 (contradiction: the photograph of pocket 1 is that of operation" in published.stdout

    # Its data outlives it.
    assert shop.stop() == 0
    assert not psutil.pid_exists(worker.pid)
    listed = run_command("insert-db", "--data", str(shop.data), "verdicts", "--operation", "op-3", "--json")
    assert len(json.loads(listed.stdout)) == 1
