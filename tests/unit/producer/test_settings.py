from __future__ import annotations

from pathlib import Path

import pytest

from db.console.settings import ConsoleSettings
from producer.contract.names import safe_name
from producer.settings import StationSettings
from producer.storage.folder import FolderStore
from producer.storage.opening import open_image_store
from producer.terminal.error_text import in_words
from worker.settings import WorkerSettings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in WorkerSettings.model_fields:
        monkeypatch.delenv(f"INSERTS_{name.upper()}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_tilde_is_the_home_folder_in_every_path_setting(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [name for name, field in WorkerSettings.model_fields.items() if "Path" in str(field.annotation)]
    assert {"data", "outbox", "redis_password_file", "database_password_file", "weights_folder"} <= set(paths)
    for name in paths:
        monkeypatch.setenv(f"INSERTS_{name.upper()}", f"~/{name}")
    settings = WorkerSettings()
    assert {name: getattr(settings, name) for name in paths} == {name: home / name for name in paths}
    assert StationSettings(data=Path("~/x")).data == home / "x"


@pytest.mark.parametrize("root", ["~/x", "file://~/x"])
def test_a_tilde_is_the_home_folder_for_photographs_too(home: Path, root: str) -> None:
    store = open_image_store(root)
    assert isinstance(store, FolderStore)
    assert store.root == home / "x"
    assert WorkerSettings(images=root).images_root == str(home / "x")


@pytest.mark.parametrize(
    ("value", "said"),
    [("", "it is empty"), ("\n", "it is blank"), ("  ", "it is blank"), ("/data/x\n", "it has a line break")],
)
def test_a_setting_that_is_blank_and_a_path_with_a_line_break_are_refused_by_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    fields = {**WorkerSettings.model_fields, **ConsoleSettings.model_fields}
    paths = [name for name, field in fields.items() if "Path" in str(field.annotation)]
    for name in fields if not value.strip() else (*paths, "images", "networks", "weights"):
        if fields[name].default != "":
            monkeypatch.setenv(f"INSERTS_{name.upper()}", value)
            with pytest.raises(ValueError, match=said) as refused:
                (WorkerSettings if name in WorkerSettings.model_fields else ConsoleSettings)()
            assert in_words(refused.value).startswith(f"INSERTS_{name.upper()}: {said}")
            monkeypatch.delenv(f"INSERTS_{name.upper()}")


def test_a_home_folder_that_nobody_has_is_named() -> None:
    with pytest.raises(ValueError, match=r"the home folder ~nobody-at-all of ~nobody-at-all/x is not known"):
        StationSettings(data=Path("~nobody-at-all/x"))


def test_a_folder_without_a_line_is_no_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no line in .*lien: it has no redis\.url"):
        StationSettings(data=tmp_path / "lien").broker_url()


def test_a_station_s_name_in_any_language_has_a_safe_outbox(tmp_path: Path) -> None:
    assert StationSettings(data=tmp_path).outbox_path() == tmp_path / "outbox" / "station-1.db"
    settings = StationSettings(data=tmp_path, station="Pru\u0308fplatz 1")
    assert settings.station == "Prüfplatz 1"
    assert settings.outbox_path() == tmp_path / "outbox" / f"{safe_name('Prüfplatz 1')}.db"
