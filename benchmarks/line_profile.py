"""`python -m benchmarks.line_profile`: where a worker's processor time goes, for each capture of a busy line.

Processor time and not elapsed time: it adds up, and other work on the machine changes it little. That of the parent, of
the processes that judge and of Redis is read from the kernel; the bare work is done by as many processes, and the
worker's other steps are measured here one by one, in messages of eight as in a busy worker and of one.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import db.line.captures
import db.line.checks
from benchmarks import bare_judging
from benchmarks.line import HEAD, Line, event_of, running
from benchmarks.line_rate import captures_per_second, warm_up
from benchmarks.materials import photographs
from benchmarks.networks import network
from benchmarks.processes import processor_seconds, tree
from db.engine import migrate
from db.engine.database import Database
from db.engine.url import sqlite_url
from db.line.captures import Arrival
from db.line.verdicts import Verdict, record_all
from producer.contract.answers import VerdictAnswer
from producer.contract.event import CaptureEvent, new_id
from producer.delivery.grouping import DEFAULT_GROUP
from producer.delivery.redis_connection import connect
from producer.storage.folder import FolderStore
from worker.broker.sanitising import sanitise
from worker.line.mapping import capture_of, verdict_answer, verdict_of
from worker.models.line_model import Judgement
from worker.networks.default_backbone import DEFAULT_BACKBONE

T = TypeVar("T")

ROWS = 960
"""Captures that each step is measured on."""


def line_milliseconds(line: Line, captures: int) -> dict[str, float]:
    """Milliseconds of processor time a capture of a full line's parts, and the captures per second."""
    warm_up(line)
    client = connect(line.redis_url, timeout=30.0)
    redis = client.info("server")["process_id"]
    client.close()
    parent, *children = tree(line.worker.pid)
    parts = {"the worker's parent": [parent], "its processes": children, "Redis": tree(redis)}
    before = {part: processor_seconds(of) for part, of in parts.items()}
    rate = captures_per_second(line, "profile", captures)
    used = {part: 1000 * (processor_seconds(of) - before[part]) / captures for part, of in parts.items()}
    return used | {"captures/s": rate}


def steps(batch: int) -> dict[str, float]:
    """Milliseconds of processor time a capture for what a worker does beside decoding and network."""
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as name:
        folder = Path(name)
        url = sqlite_url(folder / "inserts.db")
        migrate.upgrade(url)
        database = Database(url)
        store = FolderStore(folder / "images")
        image = photographs()[0]
        events = _events(store.put("a/b.jpg", image))
        milliseconds: dict[str, float] = {}

        def timed(step: str, work: Callable[[], object]) -> None:
            start = time.thread_time()
            work()
            milliseconds[step] = 1000 * (time.thread_time() - start) / ROWS

        message = sanitise(b"garbage", datetime.now(UTC))[0]
        timed("message sanitised", lambda: [sanitise(message, datetime.now(UTC)) for _ in events])
        messages = [event.message() for event in events]
        timed("event read and checked", lambda: [CaptureEvent.from_message(each) for each in messages])
        timed("image read, its digest", lambda: [_digest(store) for _ in events])
        now = datetime.now(UTC)
        arrivals = [Arrival(capture_of(event), now, tried=True) for event in events]
        timed(
            "capture, check and pocket written", lambda: [_arrive(database, each) for each in _parts(arrivals, batch)]
        )
        verdicts = [verdict_of(event, Judgement("intact"), now) for event in events]
        ended = [(verdict, event.check_id) for event, verdict in zip(events, verdicts, strict=True)]
        timed("verdict written, checks read", lambda: [_end(database, each) for each in _parts(ended, batch)])
        answers = [verdict_answer(event, verdict) for event, verdict in zip(events, verdicts, strict=True)]
        timed("answer made", lambda: [VerdictAnswer.model_dump_json(each, exclude_none=True) for each in answers])
        database.close()
    return milliseconds


def _events(digest: str) -> list[CaptureEvent]:
    checks = [new_id() for _ in range(-(-ROWS // HEAD))]
    return [event_of("a/b.jpg", digest, checks[number // HEAD], number % HEAD + 1, HEAD) for number in range(ROWS)]


def _digest(store: FolderStore) -> str:
    return hashlib.sha256(store.get("a/b.jpg", 10_000_000)).hexdigest()


def _parts(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _arrive(database: Database, arrivals: Sequence[Arrival]) -> None:
    with database.transaction(synced=False) as session:
        db.line.captures.arrive(session, arrivals)


def _end(database: Database, ended: Sequence[tuple[Verdict, UUID]]) -> None:
    with database.transaction() as session:
        record_all(session, [verdict for verdict, _ in ended])
        db.line.checks.finish(session, {check_id for _, check_id in ended})


def main() -> int:
    """Print the profile as rows of a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.line_profile", description=__doc__)
    parser.add_argument("backbone", nargs="?", default=DEFAULT_BACKBONE)
    parser.add_argument("--captures", type=int, default=800)
    options = parser.parse_args()
    with bare_judging.processes(options.backbone, photographs()) as bares, running(network(options.backbone)) as line:
        before = bares.work(options.captures // 2)
        used = line_milliseconds(line, options.captures)
        after = bares.work(options.captures // 2)
    rate, bare_rate = used.pop("captures/s"), (before.per_second + after.per_second) / 2
    print(f"{options.backbone}: {rate:.0f} captures/s, bare {bare_rate:.0f}; milliseconds of processor time a capture:")
    print(f"| bare decoding and network | {500 * (before.processor_seconds + after.processor_seconds):.2f} |")
    for part, milliseconds in used.items():
        print(f"| {part} | {milliseconds:.2f} |")
    print(f"| step beside decoding and network | in messages of {DEFAULT_GROUP} | alone |")
    full, alone = steps(DEFAULT_GROUP), steps(1)
    for step, milliseconds in full.items():
        print(f"| {step} | {milliseconds:.2f} | {alone[step]:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
