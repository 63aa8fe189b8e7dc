"""The roles of deploy/postgres/roles.sql on a real PostgreSQL: each does its work, and no more."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from db.engine import migrate
from db.engine.database import Database
from db.line import verdicts
from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.support import RedisProcess, start_workers, wait_until

ROLES = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sql"


@pytest.fixture
def urls(empty_postgresql_url: str) -> dict[str, str]:
    """The URL of one database for each role, its tables made by the owner."""
    with psycopg.connect(plain(empty_postgresql_url), autocommit=True) as superuser:
        superuser.execute(ROLES.read_text())  # type: ignore[call-overload]
        superuser.execute(ROLES.read_text())  # type: ignore[call-overload]
    roles = ("owner", "worker", "reader")
    found = {role: empty_postgresql_url.replace("postgres@", f"inserts_{role}@") for role in roles}
    migrate.upgrade(found["owner"])
    return found


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def test_the_line_works_with_the_worker_s_role_and_the_reader_sees_it(
    urls: dict[str, str], redis_server: RedisProcess, tmp_path: Path
) -> None:
    environment = os.environ | {
        "INSERTS_DATA": str(tmp_path),
        "INSERTS_REDIS_URL": redis_server.url,
        "INSERTS_DATABASE_URL": urls["worker"],
        "INSERTS_PROCESSES": "2",
        "INSERTS_RETRAIN_EVERY": "1",
    }
    processes, logs = start_workers(tmp_path, environment)
    outbox = Outbox(tmp_path / "outbox.db")
    images = FolderStore(tmp_path / "images")
    try:
        photograph = next(image for image, _ in labelled_images(1, seed=3, size=256))
        with Station("station-1", images, outbox, redis_server.url) as station:
            good = station.submit(
                photograph, machine="m", head="h", pocket=1, operation="o", check_id=new_id(), check_size=1
            )
            assert station.wait_for([good.capture_id], 120), logs["run"].read_text()
        wait_until(lambda: "no reviews to learn from" in logs["learn"].read_text(), 120, "a task of learning")
    finally:
        for process in processes:
            process.kill()
            process.wait()
        outbox.close()
    for log in logs.values():
        assert "permission denied" not in log.read_text()
    reader = Database(urls["reader"])
    reader.check_schema()
    with reader.reading() as session:
        assert [row.capture_id for row in verdicts.export(session)] == [good.capture_id]
    reader.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "DROP TABLE verdicts",
        "ALTER TABLE verdicts ADD COLUMN x int",
        "TRUNCATE verdicts CASCADE",
        "CREATE ROLE another",
        "ALTER ROLE inserts_worker SUPERUSER",
        "SET ROLE inserts_owner",
        "SELECT * FROM pg_authid",
        "COPY verdicts TO PROGRAM 'cat'",
        "COPY verdicts TO '/tmp/verdicts'",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_the_worker_s_role_has_rows_and_nothing_else(urls: dict[str, str], statement: str) -> None:
    with psycopg.connect(plain(urls["worker"])) as worker, pytest.raises(InsufficientPrivilege):
        worker.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("table", ["accounts", "sessions", "tokens"])
def test_the_reader_s_role_sees_no_passwords(urls: dict[str, str], table: str) -> None:
    with psycopg.connect(plain(urls["reader"])) as reader, pytest.raises(InsufficientPrivilege):
        reader.execute(f"SELECT * FROM {table}")  # type: ignore[call-overload]  # noqa: S608


@pytest.mark.parametrize("statement", ["DELETE FROM verdicts", "UPDATE alembic_version SET version_num = '0'"])
def test_the_reader_s_role_writes_nothing(urls: dict[str, str], statement: str) -> None:
    with psycopg.connect(plain(urls["reader"])) as reader, pytest.raises(InsufficientPrivilege):
        reader.execute(statement)  # type: ignore[call-overload]
