"""PostgreSQL behind a real PgBouncer, which pools sessions or transactions."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from db.engine import migrate
from db.engine.database import Database
from db.engine.engines import WAIT_SECONDS
from db.engine.url import parse_url
from producer.contract.event import new_id
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.integration.test_worker_process import Line
from tests.support import RedisProcess, wait_until
from worker.embedded.redis_server import free_port

MODES = ["session", "transaction"]


@contextmanager
def pgbouncer(database_url: str, mode: str, pool: int = 20) -> Iterator[str]:
    """A PgBouncer before the server of that database, and the database's URL through it."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    behind = parse_url(database_url)
    folder, port = Path(tempfile.mkdtemp(prefix="inserts-pgb-")), free_port()
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={behind.query['host']} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = {pool}\nmax_client_conn = 200\n"
    )
    folder.chmod(0o755)
    nobody = {"user": pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {}  # it refuses to run as root
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "pgbouncer.ini")], stdout=log, stderr=log, **nobody)
    try:
        wait_until(lambda: _listens(port) or process.poll() is not None, what="a PgBouncer")
        assert process.poll() is None, (folder / "log").read_text()
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/{behind.database}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _through(url: str, mode: str) -> str:
    return f"{url}?prepare_threshold=none" if mode == "transaction" else url


@pytest.mark.parametrize("mode", MODES)
def test_a_database_behind_pgbouncer_is_migrated_and_used_by_many_threads(empty_postgresql_url: str, mode: str) -> None:
    with pgbouncer(empty_postgresql_url, mode) as direct:
        url = _through(direct, mode)
        migrate.upgrade(url)
        database = Database(url)
        database.check_schema()

        def ask(number: int) -> tuple[str, str]:
            scope = database.transaction() if number % 2 else database.reading()
            with scope as session:
                zone, lock = session.execute(
                    text("SELECT current_setting('TimeZone'), current_setting('lock_timeout')")
                ).one()
                return zone, lock

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(ask, range(200))) == {("UTC", f"{WAIT_SECONDS}s")}
        migrate.downgrade(url, "base")
        database.close()


@pytest.mark.parametrize("mode", MODES)
def test_a_line_works_behind_pgbouncer(
    tmp_path: Path, redis_server: RedisProcess, postgresql_url: str, mode: str
) -> None:
    with pgbouncer(postgresql_url, mode) as direct:
        line = Line(tmp_path, redis_server, _through(direct, mode))
        outbox = Outbox(tmp_path / "outbox.db")
        try:
            line.start_worker()
            with Station("station-1", line.images, outbox, redis_server.url) as station:
                check, submitted = new_id(), list[UUID]()
                for pocket, (image, _) in enumerate(labelled_images(12, seed=3, size=224), 1):
                    event = station.submit(
                        image, machine="m", head="h", pocket=pocket, operation="o", check_id=check, check_size=12
                    )
                    submitted.append(event.capture_id)
                assert len(station.wait_for([*submitted, check], 180)) == 13, line.log_file.read_text()
            assert line.verdicts().keys() == set(submitted)
            assert "Traceback" not in line.log_file.read_text()
        finally:
            line.end()
            outbox.close()


def test_prepared_statements_that_clash_behind_pgbouncer_are_said_in_words(postgresql_url: str) -> None:
    with pgbouncer(postgresql_url, "transaction", pool=1) as url:
        first, second = Database(url), Database(url)

        def take_turns() -> None:
            for _ in range(20):
                for database in (first, second):
                    with database.reading() as session:
                        session.execute(text("SELECT 1"))

        try:
            with pytest.raises(ValueError, match="prepare_threshold=none"):
                take_turns()
        finally:
            first.close()
            second.close()
