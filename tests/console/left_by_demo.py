"""The console on what a demo left in its folder, as `make console` opens it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from selenium import webdriver

from db.engine.database import Database
from db.engine.url import sqlite_url
from tests.console.browser import Page, Server
from tests.console_support import add_people
from worker.embedded.redis_server import free_port


@contextmanager
def page_on_demo(demo: Path, folder: Path, chromium: webdriver.Chrome) -> Iterator[tuple[Page, Database]]:
    """A browser on a copy of a demo's database and photographs below `folder`, where a reviewer has an account.

    A demo in which people have been would be kept by the next one.
    """
    copied = folder / "demo"
    shutil.copytree(demo / "images", copied / "images")
    shutil.copy(demo / "inserts.db", copied)
    server = Server(copied, free_port())
    with closing(Database(sqlite_url(copied / "inserts.db"))) as database:
        add_people(database, {"ana": "reviewer"})
        server.start()
        try:
            yield Page(chromium, server), database
        finally:
            server.kill()
