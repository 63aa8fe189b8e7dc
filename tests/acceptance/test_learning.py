"""From an empty database to a line that answers: verdicts, reviews, a model that comes by itself, better verdicts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from db.engine import migrate
from db.engine.database import Database
from db.learning import model_registry, reviews
from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import RunningCommand, run_command, start_command
from tests.support import RedisProcess, program, wait_until

REVIEWED = 70
LATER = 30


class Line:
    """Redis, a worker, `learn` and `beat`, all by their commands, on an empty database."""

    def __init__(self, folder: Path, redis_server: RedisProcess):
        self.folder = folder
        self.environment = os.environ | {
            "INSERTS_DATA": str(folder),
            "INSERTS_REDIS_URL": redis_server.url,
            "INSERTS_PROCESSES": "2",
            "INSERTS_ENOUGH_NEW_LABELS": str(REVIEWED),
            "INSERTS_REEXTRACT_EVERY": "2",
            "INSERTS_RETRAIN_EVERY": "2",
            "INSERTS_EVALUATE_EVERY": "2",
        }
        self.database = Database(f"sqlite:///{folder / 'inserts.db'}")
        self._parts = ExitStack()
        self._parts.callback(self.database.close)
        outbox = Outbox(folder / "outbox.db")
        self._parts.callback(outbox.close)
        store = FolderStore(folder / "images")
        self.station = self._parts.enter_context(Station("station-1", store, outbox, redis_server.url))
        self.processes: list[RunningCommand] = []

    def start(self, *command: str) -> None:
        log = self.folder / f"{command[0]}.log"
        process = start_command("insert-worker", *command, environment=self.environment, log=log)
        self.processes.append(process)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def models(self) -> dict[str, object]:
        listed = run_command("insert-worker", "models", "list", "--json", environment=self.environment)
        return json.loads(listed.stdout)

    def inspect(self, photographs: list[bytes], head: str) -> dict[UUID, str]:
        """Submit a head's photographs, and wait for what the line says about each."""
        captures = [
            self.station.submit(
                photograph,
                machine="mill-1",
                head=head,
                pocket=pocket,
                operation="op-1",
                check_id=new_id(),
                check_size=1,
            ).capture_id
            for pocket, photograph in enumerate(photographs, 1)
        ]
        answers = self.station.wait_for(captures, 60)
        return {capture: answers[capture].answer.outcome for capture in captures}  # type: ignore[union-attr]

    def end(self) -> list[int]:
        """Tell all processes to end, and wait for how they do."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(40) for process in self.processes]

    def close(self) -> None:
        self._parts.close()
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def line(tmp_path: Path, redis_server: RedisProcess) -> Iterator[Line]:
    migrate.upgrade(f"sqlite:///{tmp_path / 'inserts.db'}")
    line = Line(tmp_path, redis_server)
    yield line
    line.close()


def test_from_nothing_to_a_line_that_answers(line: Line) -> None:
    ready = line.folder / "ready"
    line.start("run", "--ready-file", str(ready))
    line.start("learn")
    line.start("beat")
    inserts = [(photo, "damaged" if label != "intact" else "intact") for photo, label in _inserts(REVIEWED + LATER)]
    wait_until(ready.exists, 60, "a ready worker")

    # No model: nobody but a person can say.
    outcomes = line.inspect([photo for photo, _ in inserts[:REVIEWED]], "H1")
    assert set(outcomes.values()) == {"unsure"}

    # A person says so, from the known truth; the first of them by the command.
    told = [(capture, side) for capture, (_, side) in zip(outcomes, inserts, strict=False)]
    first, side = told[0]
    review = [program("insert-db"), "--data", str(line.folder), "review", "--capture", str(first), "--label", side]
    subprocess.run([*review, "--by", "ana"], env=line.environment, check=True, capture_output=True)
    with line.database.transaction() as session:
        for capture, side in told[1:]:
            reviews.add(session, capture_id=capture, label=side, by="ana", at=_now())

    # The rest happens by itself.
    wait_until(lambda: _champion(line) is not None, 90, "a first model in charge")
    later, truth = [photo for photo, _ in inserts[REVIEWED:]], [side for _, side in inserts[REVIEWED:]]

    def judged_by_the_model() -> bool:
        return set(line.inspect(later[:3], "H3").values()) != {"unsure"}

    wait_until(judged_by_the_model, 60, "a worker that took the model")
    answers = list(line.inspect(later, "H2").values())
    right = [answer == side for answer, side in zip(answers, truth, strict=True) if answer != "unsure"]
    assert len(right) >= LATER / 3, answers
    assert sum(right) / len(right) >= 0.8, list(zip(answers, truth, strict=True))

    # Who put which model in charge, and why, can be told.
    listed = line.models()
    (promotion,) = listed["promotions"]  # type: ignore[misc]
    assert promotion["model_id"] == listed["champion"]  # type: ignore[index]
    assert promotion["by"] == "insert-worker learn"  # type: ignore[index]
    assert line.processes[0].poll() is None  # the worker of the beginning
    assert line.end() == [0, 0, 0]


def _inserts(count: int) -> list[tuple[bytes, str]]:
    return list(labelled_images(count, seed=5, size=256, head=2))


def _champion(line: Line) -> model_registry.Model | None:
    with line.database.reading() as session:
        return model_registry.champion(session)


def _now() -> datetime:
    return datetime.now(UTC)
