from pathlib import Path

import pytest

from db.engine.url import parse_url, shown, sqlite_file
from db.settings import DatabaseSettings

pytestmark = pytest.mark.usefixtures("no_settings")


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


@pytest.fixture
def postgresql(monkeypatch: pytest.MonkeyPatch) -> str:
    url = "postgresql+psycopg://worker@db/inserts?sslmode=verify-full&sslrootcert=/run/secrets/ca.pem"
    monkeypatch.setenv("INSERTS_DATABASE_URL", url)
    return url


def test_a_password_goes_to_the_user_that_the_url_names(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("p@ss/w:rd #1%\n")
    monkeypatch.setenv("INSERTS_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    url = parse_url(DatabaseSettings().url)
    assert (url.username, url.password, url.host) == ("worker", "p@ss/w:rd #1%", "db")
    assert dict(url.query) == {"sslmode": "verify-full", "sslrootcert": "/run/secrets/ca.pem"}
    monkeypatch.setenv("INSERTS_DATABASE_PASSWORD", "another")
    with pytest.raises(ValueError, match="both set"):
        _ = DatabaseSettings().url


@pytest.mark.parametrize(
    ("text", "problem"), [("", "is empty"), ("change-me", "the example"), (None, "cannot be read")]
)
def test_a_password_file_without_a_password_is_refused(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, problem: str
) -> None:
    if text is not None:
        (tmp_path / "password").write_text(text)
    monkeypatch.setenv("INSERTS_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(ValueError, match=problem):
        _ = DatabaseSettings().url


def test_two_passwords_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_DATABASE_PASSWORD", "secret-2")
    for url in ("postgresql://u:secret-1@db/n", "postgresql://u@db/n?password=secret-1"):
        with pytest.raises(ValueError, match="already") as caught:
            _ = DatabaseSettings(database_url=url).url
        assert "secret" not in str(caught.value)


def test_a_password_is_of_no_concern_to_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_DATABASE_PASSWORD", "secret")
    assert DatabaseSettings(database_url="sqlite:////data/inserts.db").url == "sqlite:////data/inserts.db"
    assert "secret" not in DatabaseSettings(data=Path("elsewhere")).url


def test_no_secret_is_shown() -> None:
    url = "postgresql://u:secret-1@db/n?sslmode=verify-full&sslpassword=secret-2&password=secret-3"
    assert shown(url) == "postgresql+psycopg://u:***@db/n?sslmode=verify-full"


def test_a_tilde_is_the_home_folder_in_the_database_s_url_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INSERTS_DATABASE_URL", "sqlite:///~/line/inserts.db")
    assert sqlite_file(DatabaseSettings().url) == tmp_path / "line" / "inserts.db"
    monkeypatch.delenv("INSERTS_DATABASE_URL")
    assert sqlite_file(DatabaseSettings(data=Path("~/line")).url) == tmp_path / "line" / "inserts.db"
    with pytest.raises(ValueError, match="~nobody-at-all"):
        parse_url("sqlite:///~nobody-at-all/x.db")


def test_a_planned_change_that_is_the_dearer_one_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_PLANNED_CHANGE", "4")
    assert DatabaseSettings().damaged_change == 4
    monkeypatch.setenv("INSERTS_PLANNED_CHANGE", "5")
    with pytest.raises(ValueError, match="no less than INSERTS_PLANNED_CHANGE, 5, not 4"):
        DatabaseSettings()
    monkeypatch.setenv("INSERTS_PLANNED_CHANGE", "x")
    with pytest.raises(ValueError, match="planned_change"):
        DatabaseSettings()
