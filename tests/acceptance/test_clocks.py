"""Stations whose clocks are wrong, as real processes with a clock of their own (libfaketime), on a real line."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.test_standalone import head
from tests.forked_commands import run_command
from tests.line_with_station import line_at_work
from tests.support import program, retaken, wait_until
from worker.embedded.redis_server import free_port

WHERE = ("--machine", "mill-1", "--head", "H1")
WRONG = {"10 h ahead": "+10h", "10 h behind": "-10h", "1970": "@1970-01-02 00:00:00", "2099": "@2099-01-02 00:00:00"}


@dataclass(frozen=True)
class Shop:
    """The folder of a line, and what its worker says."""

    data: Path
    log: Path

    def station(self, *options: str) -> subprocess.CompletedProcess[str]:
        return run_command("insert-station", "--data", str(self.data), *options)


def clock(wrong: str) -> dict[str, str]:
    """The environment of a process whose clock is so; what it counts seconds by stays as it is."""
    package = importlib.util.find_spec("libfaketime")
    assert package is not None, "the extra `dev` brings it"
    library = Path(str(package.origin)).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return {**os.environ, "LD_PRELOAD": str(library), "FAKETIME": wrong, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def station(shop: Shop, *options: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command with a clock of its own, which is loaded as its process starts."""
    command = [program("insert-station"), "--data", str(shop.data), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)


def asked(shop: Shop, *question: str) -> Any:
    return json.loads(run_command("insert-db", "--data", str(shop.data), *question, "--json").stdout)


def publish(shop: Shop, image: Path, pocket: int, wrong: str | None = None) -> str:
    """Hand in one photograph, at a clock; its outcome. No camera takes one twice: each has pixels of its own."""
    own = image.with_name(f"{uuid4().hex}.jpg")
    own.write_bytes(retaken(image.read_bytes()))
    where = (*WHERE, "--operation", "op-1", "--pocket", str(pocket))
    command = ("publish", str(own), *where, "--wait", "60", "--json")
    told = station(shop, *command, env=clock(wrong)) if wrong else shop.station(*command)
    assert told.stdout, told.stderr
    return str(json.loads(told.stdout)["outcome"])


def replaced(shop: Shop) -> list[int]:
    return [row["pocket"] for row in asked(shop, "replace")["items"]]


@pytest.fixture(scope="module")
def shop(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A line with a model, its worker at work."""
    folder = tmp_path_factory.mktemp("shop")
    shop = Shop(folder / "line", folder / "worker.log")
    shutil.copytree(trained, shop.data)
    with line_at_work(shop.data, folder):
        yield shop


@pytest.fixture
def judging(shop: Shop, tmp_path: Path) -> tuple[Shop, Path, Path]:
    """The line, a photograph that it takes for intact, and one that it takes for damaged."""
    photographs = head(tmp_path / "photographs", ("intact", "broken"))
    intact, damaged = photographs / "1.jpg", photographs / "2.jpg"
    wait_until(lambda: publish(shop, damaged, 30) == "damaged", 90, "a model that finds broken inserts")
    assert publish(shop, intact, 30) == "intact"
    return shop, intact, damaged


@pytest.mark.timeout(900)  # six stations, each with a clock and an interpreter of its own
def test_a_wrong_clock_does_not_hide_what_is_to_be_replaced(judging: tuple[Shop, Path, Path]) -> None:
    shop, intact, damaged = judging
    for pocket, wrong in enumerate(WRONG.values(), 1):
        publish(shop, intact, pocket, wrong)
        publish(shop, damaged, pocket)
        assert replaced(shop) == [pocket], f"{wrong}, then right"
        publish(shop, intact, pocket, wrong)
        assert replaced(shop) == [], f"right, then {wrong}"
        history = asked(shop, "history", "mill-1", "H1", str(pocket))
        assert [row["outcome"] for row in history] == ["intact", "damaged", "intact"]
        apart = [row["captured_at"][:13] != row["ordered_at"][:13] for row in history]
        assert (apart[0], apart[1]) == (True, False), "seen where a person looks"
    assert "a station's clock is wrong" in shop.log.read_text()


def test_a_clock_that_was_set_back_keeps_nothing_in_the_outbox(shop: Shop, tmp_path: Path) -> None:
    """Handed in while Redis was away by a clock 10 h ahead, or in 2099; sent by the right one, in order."""
    photograph = head(tmp_path / "photographs", ("intact",)) / "1.jpg"
    away = f"redis://127.0.0.1:{free_port()}/0"
    for pocket, wrong in ((1, "+10h"), (2, "@2099-01-02 00:00:00"), (3, "-10h")):
        where = ("--machine", "mill-2", "--head", "H1", "--operation", "op-1", "--pocket", str(pocket), "--wait", "0.5")
        environment = clock(wrong) | {"INSERTS_REDIS_URL": away}
        assert station(shop, "publish", str(photograph), *where, env=environment).returncode == 2
    waiting = json.loads(shop.station("outbox", "--json").stdout)
    assert [each["event"]["pocket"] for each in waiting] == [1, 2, 3]
    sent = shop.station("outbox", "--send", "60", "--json")
    assert json.loads(sent.stdout) == [], sent.stderr
    assert len(asked(shop, "verdicts", "--machine", "mill-2")) == 3
