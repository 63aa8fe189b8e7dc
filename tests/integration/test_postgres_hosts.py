"""A PostgreSQL URL with several hosts, as people write it for a pair of servers, against a real one."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import migrate
from db.engine.database import Database
from tests.integration.postgres_server import Server, wait_until_ready
from worker.embedded.redis_server import free_port


@pytest.fixture
def port() -> Iterator[int]:
    folder = Path(tempfile.mkdtemp(prefix="inserts-pg-"))  # a short path, for the socket
    port = free_port()
    server = Server(folder, durable=False, listen_addresses="127.0.0.1", port=str(port)).start()
    try:
        wait_until_ready(server, folder)
        yield port
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def test_the_first_host_that_answers_and_takes_writes_is_used(port: int) -> None:
    away = free_port()
    url = f"postgresql://postgres@127.0.0.1:{away},127.0.0.1:{port}/postgres?target_session_attrs=read-write"
    migrate.upgrade(url)
    database = Database(url)
    database.check_schema()
    with database.reading() as session:
        assert session.scalar(text("SHOW port")) == str(port)
    database.close()
