"""Growth: how long a capture takes with a thousand, a hundred thousand and a million verdicts in the database.

A capture's whole path through `Inspector.inspect` counts, from message to committed verdict and answer, in
messages of `GROUP` captures. Only what is independent of the database is replaced: the judge answers at once, and
the answers are dropped. The new captures are the next ones of the plant of `benchmarks.history`.

The databases take turns in short rounds, so that other work on the machine affects all of them alike. A sample is the
median of a database's rounds over that of the smallest, which is filled anew for each sample: it grows from 1,000 to
some 3,100 verdicts while it is measured. PostgreSQL syncs its commits, as it does in a factory.

`python -m benchmarks.growth --help` shows how to measure other sizes.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import text

import db.line.verdicts
from benchmarks.history import fill, seen
from benchmarks.measure import Benchmark
from benchmarks.records import MODEL, JudgedCapture
from db.engine import migrate
from db.engine.database import Database
from db.engine.url import sqlite_url
from producer.contract.event import SCHEMA_VERSION, CaptureEvent
from producer.storage.folder import FolderStore
from tests.integration.postgres_server import serving
from worker.line.inspector import Inspector
from worker.line.judging import Judge
from worker.models.line_model import Judgement
from worker.monitoring.metrics import WorkerMetrics

SIZES = (1_000, 100_000, 1_000_000)
"""Verdicts in the databases that are compared."""

CAPTURES = 100
"""New captures of one round."""

ROUNDS = 20
"""Rounds of each database for one sample."""

GROUP = 8
"""Captures in one message."""

IMAGE = b"stands for every photograph: it is read and its digest is compared, but nobody looks at it"
KEY = "growth/image.jpg"

SEED = 1

NewDatabase = Callable[[str], str]
"""From a name to the URL of an empty database."""


class Silence:
    """Takes the place of the notifier and tells nobody."""

    def send(self, answers: Iterable[object]) -> None:
        """Go through the answers."""
        for _ in answers:
            pass


class JudgeAtOnce:
    """A judge that has no network and calls every insert intact."""

    model_in_charge = MODEL

    def judge_all(self, images: Sequence[object]) -> list[Judgement]:
        """Judge nothing."""
        return [Judgement("intact", decision=-1.0, model_id=MODEL) for _ in images]


class Grown:
    """A database with that many verdicts, and a worker's inspector on it; it must be closed."""

    def __init__(self, url: str, verdicts: int, images: FolderStore):
        """Migrate and fill the empty database at `url`; `images` has `IMAGE` under `KEY`."""
        migrate.upgrade(url)
        self._coming = seen(SEED)
        fill(url, self._coming, verdicts)
        self._database = Database(url)
        silence: Any = Silence()
        judge = cast(Judge, JudgeAtOnce())
        self._inspector = Inspector(self._database, images, judge, silence, silence, WorkerMetrics())

    def seconds_per_capture(self, captures: int) -> float:
        """Seconds from the first message in hand to the last verdict told, for each of so many new captures."""
        messages = [message(each) for each in islice(self._coming, captures)]
        start = time.perf_counter()
        for first in range(0, len(messages), GROUP):
            self._inspector.inspect(messages[first : first + GROUP])
        return (time.perf_counter() - start) / captures

    def settle(self) -> None:
        """Have what filling left written to the disk now, rather than while something is measured."""
        if self._database.url.startswith("postgresql"):
            with self._database.transaction() as session:
                session.execute(text("CHECKPOINT"))
        os.sync()

    def verdicts(self) -> int:
        """How many verdicts the database has now."""
        with self._database.reading() as session:
            return db.line.verdicts.count(session)

    def close(self) -> None:
        """End the connections."""
        self._database.close()


def message(capture: JudgedCapture) -> dict[str, Any]:
    """The message with which a capture of the plant arrives; all share one image."""
    names = set(CaptureEvent.model_fields) & set(JudgedCapture._fields)
    return {name: value for name, value in capture._asdict().items() if name in names} | {
        "schema_version": SCHEMA_VERSION,
        "capture_id": str(UUID(capture.capture_id)),
        "check_id": str(UUID(capture.check_id)),
        "captured_at": f"{capture.captured_at}Z",
        "image": KEY,
        "image_sha256": hashlib.sha256(IMAGE).hexdigest(),
    }


def ratios(
    engine: str, sizes: Sequence[int], samples: int, captures: int = CAPTURES, rounds: int = ROUNDS
) -> list[float]:
    """`samples` times the time per capture in the last, largest of `sizes`, over that in the first.

    Raises:
        RuntimeError: some of the new captures did not become verdicts.
    """
    measured = []
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="bench-growth-")))
        new = parts.enter_context(_ENGINES[engine](folder))
        parts.enter_context(_only_warnings())
        images = FolderStore(folder / "images")
        images.put(KEY, IMAGE)
        large = []
        for size in sizes[1:]:
            print(f"  filling {engine} with {size:,} verdicts", flush=True)
            large.append(parts.enter_context(closing(Grown(new(f"size_{size}"), size, images))))
            large[-1].settle()
        for sample in range(samples):
            with closing(Grown(new(f"first_{sample}"), sizes[0], images)) as first:
                databases = [first, *large]
                taken = _in_turn(databases, captures, rounds)
                if first.verdicts() != sizes[0] + captures * (rounds + 1):
                    raise RuntimeError("not every capture became a verdict: the time they took says nothing")
            shown = (f"{size:,}: {1000 * seconds:.2f} ms" for size, seconds in zip(sizes, taken, strict=True))
            print(f"  a capture among {', '.join(shown)}", flush=True)
            measured.append(taken[-1] / taken[0])
    return measured


def _in_turn(databases: Sequence[Grown], captures: int, rounds: int) -> list[float]:
    """The median seconds per capture of each database; a round of each to warm up comes first."""
    taken: list[list[float]] = [[] for _ in databases]
    for database in databases:
        database.seconds_per_capture(captures)
    for turn in range(rounds):
        # Each is the first as often as the others: what one leaves to be written meets the next.
        for number in range(len(databases)):
            which = (turn + number) % len(databases)
            taken[which].append(databases[which].seconds_per_capture(captures))
    return [median(each) for each in taken]


@contextmanager
def _sqlite(folder: Path) -> Iterator[NewDatabase]:
    yield lambda name: sqlite_url(folder / f"{name}.db")


@contextmanager
def _postgresql(_: Path) -> Iterator[NewDatabase]:
    with serving(durable=True) as new:
        yield new


_ENGINES = {"sqlite": _sqlite, "postgresql": _postgresql}


@contextmanager
def _only_warnings() -> Iterator[None]:
    """Without the line that each capture writes into a worker's log."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(**before)


BENCHMARKS = tuple(
    Benchmark(
        name=f"growth_{engine}",
        sentence=f"time per capture among {SIZES[-1]:,} verdicts in {name}, over that among {SIZES[0]:,}",
        unit="times the time",
        target=1.10,
        at_least=False,
        measure=partial(ratios, engine, SIZES),
    )
    for engine, name in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure other sizes than the benchmark does, print them, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth",
        description="Time per capture in databases of several sizes; python -m benchmarks.run growth_sqlite "
        "growth_postgresql measures it with 1,000, 100,000 and 1,000,000 verdicts and keeps the figures.",
        epilog="example, a minute: python -m benchmarks.growth sqlite --sizes 1000 100000 --samples 3",
    )
    parser.add_argument("engine", choices=_ENGINES)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="verdicts in each database, ascending")
    parser.add_argument("--samples", type=int, default=3, help="how often the ratio is measured [3]")
    options = parser.parse_args(arguments)
    if len(options.sizes) < 2 or sorted(set(options.sizes)) != list(options.sizes) or options.sizes[0] < 1:
        parser.error("--sizes must be two or more ascending numbers from 1")
    if options.samples < 1:
        parser.error("--samples must be at least 1")
    measured = ratios(options.engine, options.sizes, options.samples)
    print(f"the last over the first: {median(measured):.3f} ({min(measured):.3f} … {max(measured):.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
