"""Real processes that learn: two of each make one run, and a killed one does no harm."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.learning import model_registry
from db.learning.model_registry import Model
from tests.forked_commands import RunningCommand, run_command, start_command
from tests.integration.test_worker_process import Line
from tests.learning_support import Reviewer
from tests.metrics_support import scraped
from tests.support import RedisProcess, wait_until
from worker.embedded.redis_server import free_port
from worker.features import catalogue
from worker.learning.evaluate import decided
from worker.line.active_models import ActiveModels
from worker.models import store as model_store
from worker.networks.store import NetworkStore


class LearningLine(Line):
    """A line whose learning is asked for every second."""

    def __init__(self, folder: Path, redis_server: RedisProcess, database_url: str):
        super().__init__(folder, redis_server, database_url)
        often = dict.fromkeys(("INSERTS_REEXTRACT_EVERY", "INSERTS_RETRAIN_EVERY", "INSERTS_EVALUATE_EVERY"), "1")
        self.environment |= {**often, "INSERTS_ENOUGH_NEW_LABELS": "20", "INSERTS_GRACE": "5"}
        self.reviewer = Reviewer(self.database, self.images)

    def start(self, name: str, **environment: str) -> RunningCommand:
        log = self.folder / f"{name}.log"
        process = start_command("insert-worker", name, environment=self.environment | environment, log=log)
        self._workers.append(process)
        return process

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def health(self, role: str) -> dict[str, Any]:
        return json.loads(run_command("insert-worker", "health", role, "--json", environment=self.environment).stdout)

    def train(self) -> dict[str, object]:
        done = run_command("insert-worker", "train", "--json", environment=self.environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def champion(self) -> Model | None:
        with self.database.reading() as session:
            return model_registry.champion(session)

    def models(self) -> list[Model]:
        with self.database.reading() as session:
            return model_registry.recent(session)


@pytest.fixture
def line(networks: Path, tmp_path: Path, redis_server: RedisProcess, database_url: str) -> Iterator[LearningLine]:
    line = LearningLine(tmp_path, redis_server, database_url)
    yield line
    line.end()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_two_schedulers_and_two_learners_make_one_model(line: LearningLine) -> None:
    line.reviewer.review(16)
    processes = [line.start(name) for name in ("learn", "learn", "beat", "beat")]
    wait_until(lambda: line.champion() is not None, 90, f"a champion; {line.said('learn')}")
    champion = line.champion()
    assert champion is not None
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        assert process.wait(30) in (0, 75)  # 75: it was in the middle of something
    assert [model.model_id for model in line.models()] == [champion.model_id]
    with line.database.reading() as session:
        assert len(model_registry.promotions(session)) == 1
    store = catalogue.find(line.folder / "features", champion.fingerprint)
    assert store is not None
    assert len(store.known()) == 32
    assert set(json.loads((line.folder / "run" / "beat.json").read_text())) == {
        "insert_inspection.reextract",
        "insert_inspection.retrain",
        "insert_inspection.evaluate",
        "insert_inspection.drift",
        "insert_inspection.fit_lives",
    }


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_learner_that_is_killed_while_training_does_no_harm(line: LearningLine) -> None:
    line.reviewer.review(12)
    first = line.train()
    assert first["promote"] is True
    line.reviewer.review(12)

    line.start("beat")
    killed = line.start("learn", INSERTS_FAILPOINT="retrain:sleep")
    wait_until(lambda: "failpoint" in line.said("learn"), 60, "a training that is under way")
    wait_until(lambda: line.health("learn").get("job") == "retrain", what="a heartbeat that names the job")
    killed.kill()
    killed.wait()
    old = line.champion()
    assert old is not None
    assert old.model_id == first["model"]
    serving = ActiveModels(line.database, line.folder / "models", NetworkStore(line.environment["INSERTS_NETWORKS"]))
    serving.start()
    assert serving.current().champion.model_id == old.model_id  # type: ignore[union-attr]
    assert [model.model_id for model in line.models()] == [old.model_id]

    line.start("learn")
    wait_until(lambda: len(line.models()) == 2, 90, "the training that was cut short")
    new = line.models()[0]
    assert new.trained_on == 48
    model_store.read(line.folder / "models" / new.artefact, new.fingerprint)
    wait_until(lambda: decided(line.folder / "evaluations", new.model_id) is not None, 60, "a decision about it")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_learner_waits_for_its_services_and_ends_when_it_is_told_to(line: LearningLine) -> None:
    line.redis_server.kill()
    port = free_port()
    learn, beat = line.start("learn", INSERTS_NICENESS="7", INSERTS_METRICS_PORT=str(port)), line.start("beat")
    wait_until(lambda: "Connection refused" in line.said("learn") + line.said("beat"), 40, "processes without Redis")
    wait_until(lambda: line.health("beat").get("waits_for_redis"), what="a beat that lives and waits")
    wait_until(lambda: line.health("learn")["healthy"], what="a learner that lives")
    alive = line.health("learn")
    assert (alive["healthy"], alive["redis"], alive["job"]) == (True, False, None)
    # A learner that starts serves the figures of its heart before those of the database.
    wait_until(lambda: scraped(port).value("inserts_database_up") == 1, what="a database that is asked")
    told = scraped(port)
    assert told.value("inserts_redis_connected") == 0
    assert told.value("inserts_learn_last_success_timestamp_seconds", task="retrain") == 0
    line.redis_server.start()
    wait_until(lambda: "ready to learn" in line.said("learn"), 40, "a learner that found Redis")
    wait_until(lambda: line.health("learn")["redis"] and line.health("beat")["ticks"] > 1, what="ticks again")

    def evaluated() -> float:
        return scraped(port).value("inserts_learn_runs_total", task="evaluate", result="success") or 0

    wait_until(evaluated, what="a job that is counted")
    told = scraped(port)
    assert (told.value("inserts_ready"), told.value("inserts_learn_waiting_labels")) == (1, 0)
    assert told.value("inserts_learn_last_success_timestamp_seconds", task="evaluate") == pytest.approx(
        time.time(), abs=30
    )
    assert time.time() - (told.value("inserts_heartbeat_timestamp_seconds") or 0) < 30
    assert os.getpriority(os.PRIO_PROCESS, learn.pid) == min(19, os.nice(0) + 7)
    for process in (learn, beat):
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not list((line.folder / "run").glob("*.heartbeat"))
