from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from worker.commands.main import app
from worker.monitoring.heartbeat import GREATEST_AGE, Heartbeat, LearnHeartbeat, SchedulerHeartbeat, write


@pytest.fixture(autouse=True)
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSERTS_HEARTBEAT", raising=False)


def health(data: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["health", "--data", str(data), *options])


def beat_of(seconds_ago: float) -> Heartbeat:
    return Heartbeat(
        pid=4711,
        time=datetime.now(UTC) - timedelta(seconds=seconds_ago),
        state="ready",
        processes=2,
        model="m",
        redis=False,
        finished=12,
        last_finished_seconds=1.5,
        in_hand=3,
        in_hand_seconds=2.2,
    )


@pytest.mark.parametrize(("seconds", "max_age", "code"), [(5, [], 0), (45, [], 1), (45, ["--max-age", "60"], 0)])
def test_the_age_of_the_heartbeat_decides(tmp_path: Path, seconds: float, max_age: list[str], code: int) -> None:
    beat = beat_of(seconds)
    write(tmp_path / "run" / "worker.heartbeat", beat)
    said = health(tmp_path, *max_age)
    assert said.exit_code == code
    assert "process 4711" in said.output
    assert "ready, model m, 2 processes, 12 captures finished, 3 in hand for 2 s, without Redis" in said.output
    assert (f"older than {GREATEST_AGE:g} s" in said.output) == bool(code)
    answer = json.loads(health(tmp_path, *max_age, "--json").output)
    assert answer["healthy"] is (code == 0)
    assert answer["age_seconds"] == pytest.approx(seconds, abs=5)
    assert answer["finished"] == 12
    assert ("problem" in answer) == bool(code)


def test_it_says_that_photographs_name_no_known_head(tmp_path: Path) -> None:
    write(tmp_path / "run" / "worker.heartbeat", beat_of(1).model_copy(update={"of_no_known_head": 2}))
    answer = health(tmp_path)
    assert (answer.exit_code, "2 photographs of no known head could not be used" in answer.output) == (0, True)
    assert "insert-db" in answer.output
    assert json.loads(health(tmp_path, "--json").output)["of_no_known_head"] == 2


def test_its_help_names_the_age_that_counts() -> None:
    said = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["health", "--help"])
    assert f"default: {GREATEST_AGE:g}" in said.output


def test_without_a_heartbeat_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = health(tmp_path)
    assert (said.exit_code, "no heartbeat" in said.output) == (1, True)
    assert json.loads(health(tmp_path, "--json").output)["healthy"] is False
    write(tmp_path / "elsewhere", beat_of(0))
    monkeypatch.setenv("INSERTS_HEARTBEAT", str(tmp_path / "elsewhere"))
    assert health(tmp_path).exit_code == 0


def test_a_learner_and_a_beat_have_heartbeats_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "run" / "worker.heartbeat", beat_of(0))
    for role in ("learn", "beat"):
        assert health(tmp_path, role).exit_code == 1
    learning = LearnHeartbeat(
        state="ready",
        backbone="vgg16:fc1",
        redis=True,
        finished=2,
        last_finished_seconds=9,
        job="retrain",
        job_seconds=7200.4,
    )
    write(tmp_path / "run" / "learn.heartbeat", learning)
    said = health(tmp_path, "learn")
    assert (said.exit_code, "retrain for 7200 s, 2 jobs finished, with Redis" in said.output) == (0, True)
    assert json.loads(health(tmp_path, "learn", "--json").output)["job_seconds"] == 7200.4
    waiting = SchedulerHeartbeat(waits_for_redis=True, ticks=3, last_tick_seconds=100.0)
    write(tmp_path / "run" / "beat.heartbeat", waiting)
    said = health(tmp_path, "beat")
    assert (said.exit_code, "3 ticks, the last 100 s before, waits for Redis" in said.output) == (0, True)
    old = waiting.model_copy(update={"time": datetime.now(UTC) - timedelta(minutes=1)})
    write(tmp_path / "run" / "beat.heartbeat", old)
    assert health(tmp_path, "beat").exit_code == 1
    write(tmp_path / "run" / "beat.heartbeat", beat_of(0))
    assert "is not a heartbeat of this kind" in health(tmp_path, "beat").output


@pytest.mark.slow
def test_it_loads_neither_the_network_nor_a_client_of_the_services(tmp_path: Path) -> None:
    code = (
        "import sys, worker.commands.main\n"
        f"try: worker.commands.main.app(['health', '--data', {str(tmp_path)!r}])\n"
        "except SystemExit: print(*{'tensorflow', 'keras', 'sklearn', 'sqlalchemy', 'celery'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == ""
