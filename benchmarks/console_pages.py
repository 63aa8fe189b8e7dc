"""The console at scale: how long the server takes for each page among a million verdicts on SQLite, and among ten
million on PostgreSQL.

Each page is asked for as people ask for it, with filters that are common, rare or name nothing, by an administrator who
is signed in; what is measured is the whole of the answer, in one process and without a network. A sample is the 95th
percentile of `ASKS` asks. The line has 625 heads, of which the pages show the fifty that were photographed last. The
database is generated once and kept (`benchmarks.kept`).

`python -m benchmarks.console_pages sqlite --verdicts 100000` is a short run.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from fastapi.testclient import TestClient
from sqlalchemy import delete

from benchmarks import kept
from benchmarks.asked import Plant
from benchmarks.percentiles import benchmarks, command, percentile, spread
from db.console.app import make_console
from db.console.serving import ready
from db.console.settings import ConsoleSettings
from db.engine.database import Database
from db.people import accounts, sessions
from db.schema.tables import Accounts, Leases, Sessions

ASKS: Final = 100
WARM_UP: Final = 10
TARGET_MS: Final = 100.0
NAME: Final = "benchmark of the console"

Address = Callable[[Plant, random.Random], str]


def _with(path: str, **values: object) -> str:
    return f"{path}?{urlencode({name: value for name, value in values.items() if value is not None})}"


def _place(plant: Plant, rng: random.Random, *names: str) -> dict[str, object]:
    machine, head, pockets = rng.choice(plant.heads)
    values = {"machine": machine, "head": head, "pocket": rng.randint(1, pockets)}
    return {name: values[name] for name in names}


PAGES: Final[dict[str, Sequence[Address]]] = {
    "line": (
        lambda _plant, _rng: "/",
        lambda _plant, _rng: "/line/heads",
        lambda plant, rng: _with("/", **_place(plant, rng, "machine")),
    ),
    "board": (lambda _plant, _rng: "/board",),
    "head": (lambda plant, rng: _with("/line/head", **_place(plant, rng, "machine", "head")),),
    "pocket": (lambda plant, rng: _with("/pocket", **_place(plant, rng, "machine", "head", "pocket")),),
    "checks": (
        lambda _plant, _rng: "/checks",
        lambda _plant, rng: _with("/checks", state=rng.choice(("go", "replace", "review", "pending"))),
        lambda plant, rng: _with("/checks", **_place(plant, rng, "machine"), state="review"),
        lambda _plant, _rng: _with("/checks", head="no such head"),
    ),
    "replace": (
        lambda _plant, _rng: "/replace",
        lambda plant, rng: _with("/replace", **_place(plant, rng, "machine", "head")),
    ),
    "search": (
        lambda _plant, _rng: "/search",
        lambda _plant, rng: _with("/search", outcome=rng.choice(("intact", "damaged", "unsure", "unusable"))),
        lambda plant, rng: _with("/search", **_place(plant, rng, "machine", "head")),
        lambda plant, rng: _with("/search", **_place(plant, rng, "machine"), outcome="damaged"),
        lambda _plant, _rng: _with("/search", operation="no such operation"),
    ),
    "review": (lambda _plant, _rng: "/review", lambda _plant, _rng: "/review/next"),
    "audit": (lambda _plant, _rng: "/audit",),
}
"""The addresses of each page, as they are drawn for a plant."""


@contextmanager
def signed_in(url: str, folder: Path) -> Iterator[TestClient]:
    """A client of a console on a database, in which somebody has signed in whom it does not know afterwards."""
    settings = ConsoleSettings(data=folder, database_url=url, images=str(folder / "images"))
    console = make_console(settings)
    _forget(console.database)
    with console.database.transaction() as session:
        accounts.add(session, NAME, "administrator", "of no use anywhere else", datetime.now(UTC))
        token = sessions.begin(session, NAME, datetime.now(UTC), console.session_limits)
    client = TestClient(ready(console), headers={"Accept": "text/html", "Origin": "http://testserver"})
    client.cookies.set("inserts", token)
    client.headers["X-CSRF-Token"] = client.get("/replace").text.partition('name="csrf" content="')[2].partition('"')[0]
    try:
        yield client
    finally:
        _forget(console.database)
        console.database.close()


def _forget(database: Database) -> None:
    with database.transaction() as session:
        session.execute(delete(Sessions).where(Sessions.account == NAME))
        session.execute(delete(Accounts).where(Accounts.name == NAME))
        session.execute(delete(Leases).where(Leases.name.like("review %")))


def milliseconds(client: TestClient, plant: Plant, page: str, seed: int) -> list[float]:
    """Ask for a page `ASKS` times, and how long each answer took."""
    rng = random.Random(seed)  # noqa: S311 - addresses, not secrets
    taken = []
    for number in range(WARM_UP + ASKS):
        address = PAGES[page][number % len(PAGES[page])](plant, rng)
        ask = client.post if address == "/review/next" else client.get
        start = time.perf_counter()
        answer = ask(address)
        taken.append(1000 * (time.perf_counter() - start))
        if answer.status_code != 200:
            raise RuntimeError(f"{address} is answered by {answer.status_code}")
    return taken[WARM_UP:]


def p95s(subject: str, engine: str, verdicts: int, samples: int, folder: Path = kept.PLANTS) -> list[float]:
    """`samples` times the 95th percentile of the page's milliseconds."""
    with kept.plant(engine, verdicts, folder) as url, tempfile.TemporaryDirectory() as empty:
        database = Database(url)
        with database.reading() as session:
            plant = Plant.of(session)
        database.close()
        with signed_in(url, Path(empty)) as client:
            measured = []
            for seed in range(samples):
                taken = milliseconds(client, plant, subject, seed)
                measured.append(percentile(taken, 0.95))
                print(f"  {subject}, {engine}, {verdicts:,} verdicts: {spread(taken)}", flush=True)
    return measured


BENCHMARKS = benchmarks("console", "the console's page `{}` on the server,", PAGES, p95s, TARGET_MS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure some pages and return the exit code."""
    return command("benchmarks.console_pages", "page", PAGES, p95s, TARGET_MS, arguments)


if __name__ == "__main__":
    sys.exit(main())
