"""The console at scale: how long the server takes for each page among a million verdicts on SQLite, and among ten
million on PostgreSQL.

Each page is asked for as people ask for it, with filters that are common, rare or name nothing, by an administrator who
is signed in; what is measured is the whole of the answer, in one process and without a network. A sample is the 95th
percentile of `ASKS` asks. Beside it stands what of that was this process's own processor time: on a machine that does
other work, only this says what a page costs. No piece of a page is kept for others, as nobody listens to the news; a
head that shows what it showed before is not drawn again (`db.console.drawing.head_cards`), as in a console that runs.
The line has 625 heads, of which the pages show the fifty that were photographed last. The database is generated once
and kept (`benchmarks.stored_plants`).

`python -m benchmarks.console_pages sqlite --verdicts 100000` is a short run.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from benchmarks import reviews_and_faults, stored_plants
from benchmarks.percentiles import benchmarks, command, percentile, spread
from benchmarks.question_kinds import Plant
from db.console.app import make_console
from db.console.serving import ready
from db.console.settings import ConsoleSettings
from db.engine.database import Database
from db.evidence.evidence_map import EvidenceMap
from db.line.rows import NEWEST_FIRST
from db.people import accounts, sessions
from db.schema.index_conditions import FINDING
from db.schema.tables import Accounts, Audit, Captures, InsertChanges, Leases, Sessions, Verdicts
from producer.simulation.head import SimulatedHead

ASKS: Final = 100
WARM_UP: Final = 10
TARGET_MS: Final = 100.0
NAME: Final = "benchmark of the console"

CHANGING: Final = ("/review/next", "/pocket/changed")
"""What changes something when it is asked for."""

EXPLAINED: Final = "EXPLAINED"
"""Stands in an address for the one capture that has a photograph and a map of evidence."""

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
    "sheet": (lambda plant, rng: _with("/sheet", **_place(plant, rng, "machine", "head")),),
    "models": (
        lambda _plant, _rng: "/models",
        lambda _plant, rng: f"/models/{rng.choice(reviews_and_faults.MODELS[1:])}",
    ),
    "faults": (
        lambda _plant, _rng: "/faults",
        lambda _plant, _rng: _with("/faults", state="any"),
        lambda _plant, _rng: _with("/faults", state="closed", station="station-1"),
    ),
    "handover": (
        lambda _plant, _rng: "/handover",
        lambda plant, _rng: _with("/handover", since=(plant.now - timedelta(hours=8)).isoformat()),
        lambda plant, _rng: _with("/handover", since=(plant.now - timedelta(days=3)).isoformat()),
    ),
    "changed": (lambda plant, rng: _with("/pocket/changed", **_place(plant, rng, "machine", "head", "pocket")),),
    "evidence": (lambda _plant, _rng: f"/photographs/{EXPLAINED}/evidence",),
    "audit": (lambda _plant, _rng: "/audit",),
}
"""The addresses of each page, as they are drawn for a plant."""


@contextmanager
def signed_in(url: str, folder: Path) -> Iterator[Asking]:
    """Somebody has signed in to a console on a database, which does not know of it afterwards."""
    settings = ConsoleSettings(data=folder, database_url=url, images=str(folder / "images"))
    console = make_console(settings)
    with console.database.transaction() as session:
        _forget(session)
        accounts.add(session, NAME, "administrator", "of no use anywhere else", datetime.now(UTC))
        token = sessions.begin(session, NAME, datetime.now(UTC), console.session_limits)
        explained = _explain(session, folder / "images")
    client = TestClient(ready(console), headers={"Accept": "text/html", "Origin": "http://testserver"})
    client.cookies.set("inserts", token)
    client.headers["X-CSRF-Token"] = client.get("/replace").text.partition('name="csrf" content="')[2].partition('"')[0]
    try:
        yield Asking(client, explained)
    finally:
        with console.database.transaction() as session:
            _forget(session)
            session.execute(update(Verdicts).where(Verdicts.capture_id == explained).values(evidence=None))
        console.database.close()


def _forget(session: Session) -> None:
    session.execute(delete(Sessions).where(Sessions.account == NAME))
    session.execute(delete(Accounts).where(Accounts.name == NAME))
    session.execute(delete(InsertChanges).where(InsertChanges.by == NAME))
    session.execute(delete(Audit).where(Audit.by == NAME))
    session.execute(delete(Leases).where(Leases.name.like("review %")))


def _explain(session: Session, images: Path) -> UUID:
    """Give the newest damaged insert a photograph and a map of evidence."""
    damaged = select(Captures.capture_id, Captures.image).where(text(FINDING), Captures.outcome == "damaged")
    capture_id, image = session.execute(damaged.order_by(*NEWEST_FIRST).limit(1)).one()
    file = images / image
    file.parent.mkdir(parents=True)
    file.write_bytes(_photograph())
    digest = hashlib.sha256(_photograph()).hexdigest()  # else it is another one than was captured, and not shown
    session.execute(update(Captures).where(Captures.capture_id == capture_id).values(image_sha256=digest))
    shares = np.random.default_rng(1).normal(size=(14, 14))
    of_capture = update(Verdicts).where(Verdicts.capture_id == capture_id, Verdicts.current)
    session.execute(of_capture.values(evidence=EvidenceMap(shares).packed()))
    return UUID(str(capture_id))


@cache
def _photograph() -> bytes:
    photograph, _ = SimulatedHead(1, 1, size=1024).photograph(1)
    return photograph


@dataclass(frozen=True)
class Asking:
    """A browser without a window."""

    client: TestClient
    explained: UUID

    def ask(self, address: str) -> Taken:
        """Ask for an address, or do what it is for.

        Raises:
            RuntimeError: it is not answered as it should be.
        """
        path, _, values = address.replace(EXPLAINED, str(self.explained)).partition("?")
        wall, own = time.perf_counter(), time.process_time()
        if path in CHANGING:
            answer = self.client.post(path, data=dict(parse_qsl(values)), follow_redirects=False)
        else:
            answer = self.client.get(f"{path}?{values}" if values else path)
        taken = Taken(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - own))
        if answer.status_code not in (200, 303):
            raise RuntimeError(f"{address} is answered by {answer.status_code}")
        return taken


class Taken(NamedTuple):
    """Milliseconds that an answer took, and those of them in which this process had a processor."""

    wall: float
    own: float


def milliseconds(asking: Asking, plant: Plant, page: str, seed: int) -> list[Taken]:
    """Ask for a page `ASKS` times, and how long each answer took."""
    rng = random.Random(seed)  # noqa: S311 - addresses, not secrets
    kinds = PAGES[page]
    taken = [asking.ask(kinds[number % len(kinds)](plant, rng)) for number in range(WARM_UP + ASKS)]
    return taken[WARM_UP:]


def p95s(subject: str, engine: str, verdicts: int, samples: int, folder: Path = stored_plants.PLANTS) -> list[float]:
    """`samples` times the 95th percentile of the page's milliseconds."""
    with stored_plants.plant(engine, verdicts, folder) as url, tempfile.TemporaryDirectory() as empty:
        database = Database(url)
        with database.reading() as session:
            plant = Plant.of(session)
        database.close()
        with signed_in(url, Path(empty)) as asking:
            measured = []
            for seed in range(samples):
                taken = milliseconds(asking, plant, subject, seed)
                walls, own = [each.wall for each in taken], [each.own for each in taken]
                measured.append(percentile(walls, 0.95))
                print(f"  {subject}, {engine}, {verdicts:,} verdicts: {spread(walls)}", flush=True)
                print(f"    of processor time: {spread(own)}", flush=True)
    return measured


BENCHMARKS = benchmarks("console", "the console's page `{}` on the server,", PAGES, p95s, TARGET_MS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure some pages and return the exit code."""
    return command("benchmarks.console_pages", "page", PAGES, p95s, TARGET_MS, arguments)


if __name__ == "__main__":
    sys.exit(main())
