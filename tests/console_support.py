"""What tests of the console share: accounts, a signed-in client, and a line with photographs to look at."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import insert

from db.console.app import make_app, make_console
from db.console.context import Console
from db.console.settings import ConsoleSettings
from db.engine.database import Database
from db.people import passwords
from db.schema.tables import Accounts
from db.schema.vocabulary import PERSON_ROLES, PersonRole

PASSWORD = "a password of the tests"
ORIGIN = "http://testserver"
PEOPLE: dict[str, PersonRole] = {f"the {role}": role for role in PERSON_ROLES}


def add_people(database: Database) -> None:
    """An account for each role, named by it."""
    with database.transaction() as session:
        for name, role in PEOPLE.items():
            values = {"name": name, "role": role, "password": _hash(), "created_at": datetime.now(UTC)}
            session.execute(insert(Accounts).values(values))


@cache
def _hash() -> str:
    return passwords.hashed(PASSWORD)  # takes its time, as it should


def console_on(url: str, folder: Path, **changes: Any) -> Console:
    """A console on a database, its photographs below a folder."""
    settings = ConsoleSettings(data=folder, database_url=url, images=str(folder / "images"), **changes)
    return make_console(settings)


class Browser:
    """A client of a console, with what a page would send along."""

    def __init__(self, console: Console) -> None:
        self.client = TestClient(make_app(console), follow_redirects=False)
        self.client.headers["Accept"] = "text/html"

    def sign_in(self, name: str, password: str = PASSWORD, origin: str = ORIGIN) -> Any:
        form = {"name": name, "password": password}
        return self.client.post("/login", data=form, headers={"Origin": origin})

    @property
    def csrf(self) -> str:
        """The token in the page, as a script reads it."""
        return self.client.get("/replace").text.partition('name="csrf" content="')[2].partition('"')[0]

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Any:
        sent = {"Origin": ORIGIN, "X-CSRF-Token": self.csrf, **headers}
        return self.client.post(path, data=form or {}, headers=sent)
