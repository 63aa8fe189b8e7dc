"""`python -m benchmarks.history URL --verdicts N`: months of a made-up plant's captures and verdicts, written in bulk.

The plant: 25 machines at 5 stations, 25 heads for each machine with 12 to 30 pockets, some 15,000 pockets in all. A
check begins every minute, for one head after one operation, a photograph a second; so a million verdicts are a month.
Edges wear: each lasts 20 to 60 operations, is then judged damaged, and is turned or changed before the next operation.

The same seed gives the same rows on both engines. Constraints and indexes stay in place while they are written, so
that the database lies on the disk as if the line had written it, unless the writing is to be `quick`.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from benchmarks.bulk import quickly, write
from benchmarks.records import CHECK_COLUMNS, MODEL, POCKET_COLUMNS, JudgedCapture, Rows, check_row, judged
from db.engine import migrate
from db.engine.database import Database, DatabaseUnavailable
from db.engine.engines import make_engine
from db.learning import model_registry
from db.schema.tables import Captures, Checks
from worker.networks.default_backbone import DEFAULT_BACKBONE

MACHINES, MACHINES_PER_STATION, HEADS, OPERATIONS = 25, 5, 25, 40
POCKETS: Final = (12, 20, 24, 30, 30, 30)
"""How many pockets a head may have; large ones are more common."""

EDGES = 4
"""Edges of an insert."""

LIFE = (20, 60)
"""Operations that an edge lasts, at least and at most."""

UNUSABLE, UNSURE = 0.003, 0.010
"""Shares of the captures of good edges whose image cannot be judged, and that a person must decide."""

BEGIN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
BETWEEN_CHECKS = timedelta(minutes=1)
BETWEEN_CAPTURES = timedelta(seconds=1)

BLOCK = 20_000
"""Captures in one transaction; a block at a time is in memory."""

_CACHE_KIB = 200 * 1024
"""SQLite's page cache while it is filled: room for the leaf of every pocket in every index."""


class _Pocket:
    """The edge at work in one pocket."""

    __slots__ = ("edge", "life", "operations")

    def __init__(self, rng: random.Random):
        self.edge = 1 + int(rng.random() * EDGES)
        self.life = _life(rng)
        self.operations = int(rng.random() * (self.life + 1))

    def turn(self, rng: random.Random) -> None:
        """Put the next edge, or the first one of a new insert, to work."""
        self.edge = self.edge % EDGES + 1
        self.life = _life(rng)
        self.operations = 0


def seen(seed: int) -> Iterator[JudgedCapture]:
    """The plant's captures in the order of their time, without end."""
    rng = random.Random(seed)  # noqa: S311 - a plant, not a secret
    heads = []
    for number in range(MACHINES * HEADS):
        mill = number // HEADS
        pockets = [_Pocket(rng) for _ in range(POCKETS[int(rng.random() * len(POCKETS))])]
        heads.append((f"station-{mill // MACHINES_PER_STATION + 1}", f"mill-{mill + 1}", f"H{number}", pockets))
    for check in count():
        at = BEGIN + check * BETWEEN_CHECKS
        station, machine, head, pockets = heads[int(rng.random() * len(heads))]
        operation = f"op-{1 + int(rng.random() * OPERATIONS):04d}"
        check_id, began = _uuid7(rng, at), _text(at)
        folder = f"{station}/{at:%Y-%m-%d}"
        for place, pocket in enumerate(pockets, 1):
            capture_id = _uuid7(rng, at)
            yield JudgedCapture(
                capture_id,
                _text(at),
                station,
                machine,
                head,
                place,
                operation,
                check_id,
                len(pockets),
                f"{folder}/{capture_id}.jpg",
                f"{rng.getrandbits(256):064x}",
                "SEKT 1204AFTN",
                pocket.edge,
                pocket.operations,
                _text(at + timedelta(milliseconds=200)),
                *_judged(rng, pocket),
                _text(at + timedelta(milliseconds=600)),
                began,
            )
            pocket.operations += 1
            if pocket.operations > pocket.life:
                pocket.turn(rng)
            at += BETWEEN_CAPTURES


def fill(
    url: str,
    captures: Iterator[JudgedCapture],
    verdicts: int,
    progress: Callable[[int, float], None] = lambda *_: None,
    *,
    rows_of: Callable[[Sequence[JudgedCapture]], Iterable[Rows]] = judged,
    quick: bool = False,
) -> None:
    """Write that many of `captures` with their verdicts, checks and pockets into a migrated database without any.

    `progress` is called after every block with how many there are and how many rows a second were written. What is in
    memory at once does not depend on the number. Afterwards PostgreSQL's statistics are up to date. `captures` can be
    read on: what follows is what would come next.

    `rows_of` says what is written of a block of captures, beside their checks. Where it is to be `quick`, secondary
    indexes are made last and references are not looked up (`benchmarks.bulk.quickly`).

    Raises:
        ValueError: the database holds captures already.
        SchemaOutdated: it is not migrated.
    """
    _put_in_charge(url)
    newest: dict[tuple[str, str, int], JudgedCapture] = {}
    engine = make_engine(url, foreign_keys=not quick)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KIB}")
                connection.rollback()
            written, rows, start, last_check = 0, 0, time.perf_counter(), ""
            with quickly(connection) if quick else nullcontext():
                while written < verdicts:
                    block = list(islice(captures, min(BLOCK, verdicts - written)))
                    checks = list({each.check_id: each for each in block if each.check_id != last_check}.values())
                    with connection.begin():
                        rows += write(connection, "checks", CHECK_COLUMNS, [check_row(each) for each in checks])
                        rows += sum(write(connection, *each) for each in rows_of(block))
                    newest |= {(each.machine, each.head, each.pocket): each for each in block}
                    written, last_check = written + len(block), block[-1].check_id
                    progress(written, rows / (time.perf_counter() - start))
                with connection.begin():
                    pockets = [
                        (*place, each.captured_at, each.capture_id, each.outcome == "damaged")
                        for place, each in newest.items()
                    ]
                    write(connection, "pockets", POCKET_COLUMNS, pockets)
                    if block[-1].pocket < block[-1].check_size:
                        last = Checks.check_id == UUID(last_check)
                        connection.execute(update(Checks).where(last).values(awaited=True))
        if engine.dialect.name == "postgresql":
            # As its autovacuum would leave it, which would otherwise begin while something is measured. On SQLite there
            # are no statistics, as in the product.
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM (ANALYZE)")
    finally:
        engine.dispose()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the database that is named and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.history",
        description="Fill an empty database with the captures, verdicts, checks and pockets of a made-up plant, to see "
        "how fast questions and new captures are among many. It is migrated first, and made where it is a SQLite file "
        "that is not there.",
        epilog="example: python -m benchmarks.history sqlite:///var/large/inserts.db --verdicts 10000000, then "
        "insert-db --data var/large replace",
    )
    parser.add_argument("url", help="sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
    parser.add_argument("--verdicts", type=int, default=1_000_000, help="how many captures with verdicts [1000000]")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same plant and history [1]")
    options = parser.parse_args(arguments)
    if options.verdicts < 1:
        parser.error("--verdicts must be at least 1")
    try:
        migrate.upgrade(options.url)
        fill(options.url, seen(options.seed), options.verdicts, _print_progress)
    except (ValueError, OSError, DatabaseUnavailable) as error:
        print(f"history: {error}", file=sys.stderr)
        return 1
    return 0


def _judged(rng: random.Random, pocket: _Pocket) -> tuple[str, float | None, str | None]:
    """Outcome, decision value and reason for the edge as it is."""
    chance, distance = rng.random(), rng.random()
    if pocket.operations >= pocket.life:
        return "damaged", 0.1 + 2 * distance, None
    if chance < UNUSABLE:
        return "unusable", None, "the image is too dark"
    if chance < UNUSABLE + UNSURE:
        return "unsure", 0.2 * distance - 0.1, "too close to the boundary between the classes"
    return "intact", -0.1 - 2 * distance, None


def _life(rng: random.Random) -> int:
    return LIFE[0] + int(rng.random() * (LIFE[1] - LIFE[0] + 1))


def _uuid7(rng: random.Random, at: datetime) -> str:
    """A UUIDv7 (RFC 9562) of that moment: 48 bits of milliseconds, version 7, 12 bits, variant 2, 62 bits."""
    chance = rng.getrandbits(74)
    milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return f"{milliseconds:012x}{0x7000 | chance >> 62:04x}{1 << 63 | chance & (1 << 62) - 1:016x}"


def _text(at: datetime) -> str:
    """A moment in UTC as SQLite keeps it and as PostgreSQL reads it (the sessions are in UTC)."""
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


def _put_in_charge(url: str) -> None:
    database = Database(url)
    try:
        database.check_schema()
        with database.transaction() as session:
            if session.scalar(select(Captures.capture_id).limit(1)) is not None:
                raise ValueError("the database holds captures already: a history goes into an empty one")
            classes = ("intact", "damaged")
            model = model_registry.Model(MODEL, DEFAULT_BACKBONE, "0" * 64, BEGIN, classes, 240, {}, MODEL, "0" * 64)
            model_registry.register(session, model)
            model_registry.promote(session, MODEL, by="history", reason="the first one", at=BEGIN)
    finally:
        database.close()


def _print_progress(written: int, rows_per_second: float) -> None:
    print(f"{written:,} verdicts, {rows_per_second:,.0f} rows/s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
