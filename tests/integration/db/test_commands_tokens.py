"""`insert-db users token`, within this process."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from db.commands.main import main
from db.people import audit, tokens
from tests.command_support import Done, invoke
from tests.console_support import add_people


def run(database, *arguments: object) -> Done:
    return invoke(main, "--database", database.url, "users", "token", *arguments)


def person_of(database, secret: str, at: datetime) -> str | None:
    with database.reading() as session:
        found = tokens.person_of(session, secret, at)
    return found[0].name if found else None


def test_a_token_is_shown_once_listed_and_revoked(database, monkeypatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    add_people(database)
    assert "no token yet" in run(database, "list").stdout
    made = run(database, "add", "the viewer", "shift reports", "--days", 30)
    (secret,) = made.stdout.splitlines()  # and nothing else: TOKEN=$(insert-db users token add …)
    assert "the token is not shown again" in made.stderr
    now = datetime.now(UTC)
    assert person_of(database, secret, now) == "the viewer"
    assert person_of(database, secret, now + timedelta(days=31)) is None

    (listed,) = json.loads(run(database, "list", "--json").stdout)
    assert (listed["account"], listed["name"], listed["last_used_at"]) == ("the viewer", "shift reports", None)
    shown = run(database, "list").stdout
    assert "never" in shown
    assert secret not in shown
    assert tokens.digest_of(secret) not in json.dumps(listed)
    assert "no token yet" in run(database, "list", "the reviewer").stdout

    assert run(database, "revoke", "the viewer", "shift reports").exit_code == 0
    assert person_of(database, secret, now) is None
    assert "no" in run(database, "list").stdout.split()
    with database.reading() as session:
        done = [(entry.by, entry.action, entry.subject, entry.detail["token"]) for entry in audit.recent(session)]
    assert done == [
        ("terminal: root", action, "the viewer", "shift reports") for action in ("token revoked", "token added")
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "the viewer", "reports"), "has a token 'reports' already"),
        (("add", "nobody", "reports"), "there is no account 'nobody'"),
        (("add", "the viewer", "a/b"), "a name may have"),
        (("revoke", "the viewer", "others"), "has no token 'others' to revoke"),
        (("revoke", "the reviewer", "reports"), "has no token 'reports' to revoke"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(database, arguments, words) -> None:
    add_people(database)
    run(database, "add", "the viewer", "reports")
    done = run(database, *arguments)
    assert done.exit_code != 0
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
