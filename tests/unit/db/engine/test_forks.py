"""A process that forks has no SQLite file open when it does."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from db.engine import migrate
from db.engine.database import Database
from db.engine.url import sqlite_url
from db.line import faults

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def open_files() -> set[str]:
    """The names of the files that this process has open."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing itself
            found.add(descriptor.readlink().name)
    return found


def forked() -> set[str]:
    """What a child of this moment has open."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(open_files()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        found = set(told.read().split("\n"))
    os.waitpid(child, 0)
    return found


@pytest.mark.parametrize("forks", [True, False])
def test_a_fork_waits_for_the_scope_that_is_open(tmp_path: Path, forks: bool) -> None:
    url = sqlite_url(tmp_path / "forked.db")
    migrate.upgrade(url)
    database = Database(url, forks=forks)
    entered, leave = threading.Event(), threading.Event()

    def read() -> None:
        with database.reading() as session:
            faults.search(session)
            entered.set()
            leave.wait(60)

    reader = threading.Thread(target=read)
    reader.start()
    assert entered.wait(60)
    assert "forked.db" in open_files()
    if forks:
        threading.Timer(0.2, leave.set).start()  # the fork comes after it; else it would have the file open
    assert ("forked.db" in forked()) != forks
    leave.set()
    reader.join(60)
    database.close()
