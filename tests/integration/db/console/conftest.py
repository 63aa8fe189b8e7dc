"""A console on one engine, and a browser for each person.

What pages and the API say is the same on either; the queries behind them are asked of both in `tests/integration/db`,
and those that only a page has by the modules that are `on_both_engines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.console.context import Console
from db.engine.database import Database
from tests.console_support import Browser, add_people, console_on
from tests.integration.conftest import ENGINES


@pytest.fixture(params=ENGINES[-1:])
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine that the test runs on."""
    return request.param


@pytest.fixture(autouse=True)
def _hash_with_least_effort(hash_with_least_effort: None) -> None:
    """All of them sign in."""


@pytest.fixture
def console(database: Database, tmp_path: Path) -> Iterator[Console]:
    add_people(database)
    made = console_on(database.url, tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def signed_in(console: Console) -> Callable[[str], Browser]:
    """A browser in which the person with that role has signed in."""

    def begin(role: str) -> Browser:
        browser = Browser(console)
        assert browser.sign_in(f"the {role}").status_code == 303
        return browser

    return begin
