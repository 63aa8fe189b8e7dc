"""Large databases that are generated once and kept in var/plants, for this run of a benchmark and for later ones.

A database is named by its engine, its size and its generator: when the generator changes, it is generated anew and the
old one is removed. It is always migrated to the newest schema. Ten million verdicts take some ten gigabytes on
PostgreSQL, a million on SQLite about one; `rm -r var/plants` removes them all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from benchmarks import bulk, history, records, reviews_and_faults
from db.engine import migrate
from db.engine.url import sqlite_url
from tests.integration.postgres_server import Server, wait_until_ready

PLANTS: Final = Path("var") / "plants"

SERVER: Final = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
"""How a small server of a plant would be set; all else is PostgreSQL's own."""


@contextmanager
def plant(engine: str, verdicts: int, folder: Path = PLANTS) -> Iterator[str]:
    """The URL of a migrated database with a plant's history of that many verdicts and what people made of it.

    Raises:
        OSError: there is no room, or PostgreSQL's own user cannot reach the folder.
    """
    place = (folder / f"{engine}-{verdicts}-{_generator()}").absolute()
    complete = place / "complete"
    for old in folder.absolute().glob(f"{engine}-{verdicts}-*"):
        if old != place or not complete.exists():
            shutil.rmtree(old)
    place.mkdir(parents=True, exist_ok=True)
    with _SERVING[engine](place) as url:
        migrate.upgrade(url)
        if not complete.exists():
            print(f"  generating {verdicts:,} verdicts for {engine} in {place}, where they are kept", flush=True)
            start = time.perf_counter()
            reviews_and_faults.put_in_charge(url, verdicts)
            made = reviews_and_faults.People(verdicts)
            history.fill(url, history.seen(seed=1), verdicts, _progress(verdicts), rows_of=made.rows_of, quick=True)
            reviews_and_faults.finish(url)
            complete.touch()
            size = sum(each.stat().st_size for each in place.rglob("*") if each.is_file()) / 1e9
            print(f"  generated in {time.perf_counter() - start:.0f} s, {size:.1f} GB", flush=True)
        yield url


def _generator() -> str:
    """What makes the rows, as eight hexadecimal digits."""
    digest = hashlib.sha256()
    for module in (history, records, bulk, reviews_and_faults):
        digest.update(Path(module.__file__ or "").read_bytes())
    return digest.hexdigest()[:8]


def _progress(verdicts: int) -> Callable[[int, float], None]:
    """Print a line for every tenth of them."""
    tenths = 0

    def tell(written: int, rows_per_second: float) -> None:
        nonlocal tenths
        if 10 * written // verdicts > tenths:
            tenths = 10 * written // verdicts
            print(f"  {written:,} verdicts, {rows_per_second:,.0f} rows/s", flush=True)

    return tell


@contextmanager
def _sqlite(place: Path) -> Iterator[str]:
    yield sqlite_url(place / "inserts.db")


@contextmanager
def _postgresql(place: Path) -> Iterator[str]:
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in place.parents):
        raise OSError(f"run by root, PostgreSQL works as nobody, who cannot reach {place}: choose another folder")
    with tempfile.TemporaryDirectory(prefix="inserts-pg-") as sockets:  # a short path, as a socket needs
        server = Server(place, durable=True, sockets=Path(sockets), **SERVER).start()
        try:
            wait_until_ready(server, place)
            with psycopg.connect(host=sockets, user="postgres", dbname="postgres", autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'plant'").fetchone():
                    connection.execute("CREATE DATABASE plant")
            yield f"postgresql+psycopg://postgres@/plant?host={sockets}"
        finally:
            server.send_signal(signal.SIGINT)  # orderly: the next start has nothing to recover
            server.wait(600)


_SERVING = {"postgresql": _postgresql, "sqlite": _sqlite}
