from __future__ import annotations

from pathlib import Path

import pytest

from producer.settings import StationSettings
from worker.models.costs import Costs
from worker.settings import WorkerSettings

pytestmark = pytest.mark.usefixtures("no_settings")


def test_one_folder_is_enough_for_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_DATA", str(tmp_path))
    settings = WorkerSettings()
    assert settings.models_path() == tmp_path / "models"
    assert settings.weights_path() == tmp_path / "weights"
    assert settings.url == f"sqlite:///{tmp_path}/inserts.db"
    with pytest.raises(ValueError, match="there is no line"):
        settings.broker_url()
    (tmp_path / "redis.url").write_text("redis://:secret@127.0.0.1:6390/0\n")
    assert settings.broker_url() == "redis://:secret@127.0.0.1:6390/0"


def test_what_is_set_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "redis.url").write_text("redis://:secret@127.0.0.1:6390/0\n")
    monkeypatch.setenv("INSERTS_REDIS_URL", "redis://elsewhere:6379/1")
    assert WorkerSettings(data=tmp_path).broker_url() == "redis://elsewhere:6379/1"


def test_a_child_gets_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_REDIS_URL", "redis://:secret@elsewhere:6379/1")
    monkeypatch.setenv("INSERTS_DATABASE_URL", "postgresql+psycopg://somewhere/inserts")
    environment = WorkerSettings(data=tmp_path, processes=3, database_url=None).environment()
    assert environment["INSERTS_DATA"] == str(tmp_path)
    assert environment["INSERTS_PROCESSES"] == "3"
    assert environment["INSERTS_REDIS_URL"] == "redis://:secret@elsewhere:6379/1"
    assert "INSERTS_DATABASE_URL" not in environment
    assert "INSERTS_BACKBONE" not in environment


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_REDIS_URL", "redis://:secret@elsewhere:6379/1")
    assert "secret" not in repr(StationSettings())


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_PROCESSES", "0")
    with pytest.raises(ValueError, match="processes"):
        WorkerSettings()


@pytest.mark.parametrize("value", ["inf", "1e300", "99999999999999999999"])
@pytest.mark.parametrize("name", ["judge_timeout", "retrain_every", "look", "plant_stream", "outbox_limit"])
def test_a_number_that_no_timer_or_server_takes_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"INSERTS_{name.upper()}", value)
    with pytest.raises(ValueError, match=name):
        WorkerSettings()


def test_costs_are_read_from_the_environment_and_must_be_above_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert WorkerSettings().costs() == Costs()
    monkeypatch.setenv("INSERTS_MISSED_DAMAGED", "100")
    assert WorkerSettings().costs() == Costs(missed_damaged=100.0)
    monkeypatch.setenv("INSERTS_LOOK", "0")
    with pytest.raises(ValueError, match="look"):
        WorkerSettings()
