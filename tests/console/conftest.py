"""One browser for all tests, one plant to look at, and one to review for each test that changes something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.common.exceptions import WebDriverException

from db.schema.vocabulary import PersonRole
from tests.console.browser import CHROMIUM, DRIVER, Browser, Page, Server
from tests.console_plant import Plant
from tests.console_support import add_people
from worker.embedded.redis_server import free_port

if TYPE_CHECKING:
    from selenium import webdriver

PEOPLE: dict[str, PersonRole] = {"ana": "reviewer", "bert": "reviewer", "mara": "maintainer", "root": "administrator"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("there is no Chromium here: apt-get install chromium chromium-driver")
    opened = Browser()
    yield opened
    opened.close()


@pytest.fixture
def chromium(browser: Browser) -> webdriver.Chrome:
    return browser.ready()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    """Two heads that have just been looked at, with forty photographs that a person should look at."""
    made = Plant(tmp_path, size=96)
    made.unsure_heads()
    yield made
    made.database.close()


@pytest.fixture
def server(plant: Plant) -> Iterator[Server]:
    started = Server(plant, free_port())
    add_people(plant.database, PEOPLE)
    started.start()
    yield started
    started.kill()


@pytest.fixture
def page(chromium: webdriver.Chrome, server: Server) -> Iterator[Page]:
    yield Page(chromium, server)
    with suppress(WebDriverException):  # no stream of events outlives its console; a browser that hangs is replaced
        chromium.get("about:blank")
