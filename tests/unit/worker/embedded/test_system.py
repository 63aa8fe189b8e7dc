from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from worker.embedded.supervisor import ChildProcess, Supervisor
from worker.embedded.system import EmbeddedSystem
from worker.settings import WorkerSettings


class Described(Supervisor):
    """Keeps what it is to start, and starts nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.environments: dict[str, Any] = {}

    def add(self, child: ChildProcess) -> None:
        self.environments[child.name] = child._environment


@pytest.mark.parametrize(("port", "learner_s"), [(9464, "9465"), (None, None)])
def test_the_learner_serves_its_metrics_beside_the_worker_and_has_a_heartbeat_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int | None, learner_s: str | None
) -> None:
    monkeypatch.delenv("INSERTS_METRICS_PORT", raising=False)
    monkeypatch.setenv("INSERTS_HEARTBEAT", str(tmp_path / "heartbeat"))
    supervisor = Described()
    system = EmbeddedSystem(WorkerSettings(data=tmp_path, metrics_port=port), supervisor)
    system.start_learning()
    learner = supervisor.environments["learn"]
    assert learner.get("INSERTS_METRICS_PORT") == learner_s
    assert "INSERTS_HEARTBEAT" not in learner
    assert system.environment()["INSERTS_HEARTBEAT"] == str(tmp_path / "heartbeat")


def test_the_connector_serves_its_metrics_beside_both(tmp_path: Path) -> None:
    supervisor = Described()
    settings = WorkerSettings(data=tmp_path, metrics_port=9464)
    EmbeddedSystem(settings, supervisor).start_connector()
    assert not supervisor.environments
    EmbeddedSystem(settings, supervisor, tmp_path / "connect.toml").start_connector()
    assert supervisor.environments["connect"]["INSERTS_METRICS_PORT"] == "9466"
