"""The options of `prune`, `backup`, `restore` and `downgrade`, within this process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.commands.main import main
from db.commands.prune import _policy
from db.engine import migrate, schema_version
from db.people import accounts
from db.retention.policy import Policy, default_policy
from producer.contract.vocabulary import OUTCOMES
from tests.command_support import Done, invoke

BEFORE = datetime.now(UTC) - timedelta(days=90)


pytestmark = pytest.mark.usefixtures("terminal")


def run(url: str, *arguments: object) -> Done:
    return invoke(main, "--database", url, *arguments)


def test_without_a_rule_the_usual_one_holds() -> None:
    usual = default_policy(datetime.now(UTC))
    found = _policy(None, None, None, None, [])
    assert (set(found.images), set(found.verdicts)) == (set(OUTCOMES), set(OUTCOMES))
    assert abs(found.images["intact"] - usual.images["intact"]) < timedelta(seconds=10)
    assert found.shadow is not None
    only = _policy(None, None, None, None, ["intact"])
    assert (set(only.images), set(only.verdicts)) == ({"intact"}, {"intact"})


def test_with_a_rule_nothing_but_what_it_names_goes() -> None:
    everything = dict.fromkeys(OUTCOMES, BEFORE)
    assert _policy(BEFORE, None, None, None, []) == Policy(everything, {})
    assert _policy(None, BEFORE, None, None, ["damaged"]) == Policy({}, {"damaged": BEFORE})
    assert _policy(None, None, BEFORE, BEFORE, []) == Policy({}, {}, BEFORE, BEFORE)
    with pytest.raises(ValueError, match="still to come"):
        _policy(datetime.now(UTC) + timedelta(hours=1), None, None, None, [])


def test_a_prune_of_an_empty_line_finds_nothing(database_url) -> None:
    done = run(database_url, "prune", "--yes")
    assert (done.exit_code, "gone: 0 photographs" in done.stdout) == (0, True)
    assert run(database_url, "prune", "--yes", "--vacuum").exit_code == 0


def test_a_clock_that_is_years_ahead_deletes_nothing(line) -> None:
    line.see(outcome="intact", captured_at=datetime.now(UTC) - timedelta(days=40))
    done = run(line.database.url, "prune", "--yes")
    assert done.exit_code == 2
    assert "the newest photograph is 40 days old: is the clock right?" in done.stderr
    assert "--although-idle" in done.stderr


def test_photographs_that_are_elsewhere_are_an_error(line) -> None:
    line.see(outcome="intact")
    done = run(line.database.url, "prune", "--yes", "--although-idle")
    assert done.exit_code == 2
    assert "insert-db: none of the 1 newest photographs is below var/line/images" in done.stderr


def test_downgrade_says_what_it_loses_and_does_not_guess(database_url, empty_database_url) -> None:
    assert run(database_url, "downgrade", "0001").exit_code == 2, "there is nobody to ask"
    assert migrate.current(database_url) == schema_version.head()
    assert "there is no schema 'x'; there are 0001" in run(database_url, "downgrade", "x", "--yes").stderr
    assert "is not above" in run(database_url, "downgrade", schema_version.head(), "--yes").stdout
    done = run(database_url, "downgrade", "0001", "--yes")
    assert "loses: reviews" in done.stdout
    assert migrate.current(database_url) == "0001"
    assert "there is no database" in run(empty_database_url, "downgrade", "base", "--yes").stderr


@pytest.mark.usefixtures("hash_with_least_effort")
def test_replace_and_the_checks_say_that_a_backup_was_restored(line, empty_database_url, tmp_path) -> None:
    """Also if the backup has an older schema, once that is brought up to date."""
    if line.database.url.startswith("postgresql"):
        pytest.skip("pg_dump is no part of this: test_backup.py")
    line.see(1, outcome="intact", check_size=1)
    with line.database.transaction() as session:
        accounts.add(session, "ana", "administrator", "a long password", BEFORE)
    migrate.downgrade(line.database.url, "0021")
    assert run(line.database.url, "backup", tmp_path / "a.sqlite").exit_code == 0
    restored = run(empty_database_url, "restore", tmp_path / "a.sqlite")
    assert restored.exit_code == 0
    assert "accounts have the passwords and roles of 2" in restored.stdout
    assert "users list`" in restored.stdout
    assert run(empty_database_url, "upgrade").exit_code == 0
    done = run(empty_database_url, "replace")
    assert (done.exit_code, "no insert is known to be damaged" in done.stdout) == (0, True)
    assert "1 pocket not photographed since" in done.stderr
    assert "head-1 on mill-1" in done.stderr
    assert '"state": "review"' in run(empty_database_url, "checks", "--json").stdout


def test_a_backup_that_cannot_be_is_one_line(database_url, tmp_path) -> None:
    done = run(database_url, "restore", tmp_path / "none")
    assert (done.exit_code, done.stderr) == (2, f"insert-db: there is no file {tmp_path / 'none'}\n")
