"""A plant for each module to look at, and one for each test that changes something; all are seen in one browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.common.exceptions import WebDriverException

from db.schema.column_words import PersonRole
from tests.console.browser import Page, Server, leave
from tests.console_plant import Plant
from tests.console_support import add_people
from worker.embedded.redis_server import free_port

if TYPE_CHECKING:
    from selenium import webdriver

PEOPLE: dict[str, PersonRole] = {"ana": "reviewer", "bert": "reviewer", "mara": "maintainer", "root": "administrator"}


@contextmanager
def _plant_in(folder: Path) -> Iterator[Plant]:
    """Two heads that have just been looked at, with forty photographs that a person should look at."""
    made = Plant(folder, size=96)
    made.unsure_heads()
    yield made
    made.database.close()


@contextmanager
def _console_of(plant: Plant) -> Iterator[Server]:
    started = Server(plant.folder, free_port(), plant.heads_file)
    add_people(plant.database, PEOPLE)
    started.start()
    yield started
    started.kill()


@contextmanager
def _opened(chromium: webdriver.Chrome, server: Server) -> Iterator[Page]:
    yield Page(chromium, server)
    with suppress(WebDriverException):  # no stream of events outlives its console; a browser that hangs is replaced
        leave(chromium)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    """A plant of the test's own, in which it may change what it likes."""
    with _plant_in(tmp_path) as made:
        yield made


@pytest.fixture
def server(plant: Plant) -> Iterator[Server]:
    with _console_of(plant) as started:
        yield started


@pytest.fixture
def page(chromium: webdriver.Chrome, server: Server) -> Iterator[Page]:
    with _opened(chromium, server) as page:
        yield page


@pytest.fixture(scope="module")
def still_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A plant for all tests of a module that only look; it has worn inserts, a fault, a connector, a candidate too."""
    with _plant_in(tmp_path_factory.mktemp("still")) as made:
        made.fault()
        made.work_worn()
        made.connector()
        made.candidate()
        made.change_insert("mill-9", "Fräskopf 3", 1)
        yield made


@pytest.fixture(scope="module")
def still_server(still_plant: Plant) -> Iterator[Server]:
    with _console_of(still_plant) as started:
        yield started


@pytest.fixture
def still_page(chromium: webdriver.Chrome, still_server: Server) -> Iterator[Page]:
    """A page of the console of `still_plant`."""
    with _opened(chromium, still_server) as page:
        yield page
