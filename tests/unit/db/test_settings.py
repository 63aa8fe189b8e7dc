from pathlib import Path

import pytest

from db.session import sqlite_file
from db.settings import DatabaseSettings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSERTS_DATA", raising=False)
    monkeypatch.delenv("INSERTS_DATABASE_URL", raising=False)
    monkeypatch.delenv("INSERTS_IMAGES", raising=False)


def test_the_database_is_a_file_in_the_lines_data() -> None:
    assert sqlite_file(DatabaseSettings().url) == Path("var/line/inserts.db")
    assert sqlite_file(DatabaseSettings(data=Path("/a b/c%20?#")).url) == Path("/a b/c%20?#/inserts.db")


def test_the_environment_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_DATA", "elsewhere")
    assert sqlite_file(DatabaseSettings().url) == Path("elsewhere/inserts.db")
    monkeypatch.setenv("INSERTS_DATABASE_URL", "postgresql+psycopg://u:secret@h/n")
    settings = DatabaseSettings()
    assert settings.url == "postgresql+psycopg://u:secret@h/n"
    assert "secret" not in repr(settings)


def test_the_photographs_are_in_the_lines_data_or_where_they_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DatabaseSettings(data=Path("elsewhere")).images_root == str(Path("elsewhere/images"))
    monkeypatch.setenv("INSERTS_IMAGES", "s3://plant/images")
    assert DatabaseSettings(data=Path("elsewhere")).images_root == "s3://plant/images"
