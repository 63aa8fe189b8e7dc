"""A real line in a temporary folder: Redis, a migrated SQLite database, a champion, and a worker process."""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from benchmarks.materials import photographs
from db.engine.database import Database
from db.learning import model_registry
from db.schema.tables import Captures, Verdicts
from producer.contract.event import CaptureEvent, new_id
from producer.delivery.redis_client import EventSender
from producer.storage.folder import FolderStore
from worker.embedded.redis_server import free_port
from worker.embedded.supervisor import Child, Supervisor
from worker.embedded.system import EmbeddedSystem
from worker.models import store
from worker.models.line_model import LINE_CLASSES
from worker.models.linear_svm import LinearModel
from worker.settings import WorkerSettings

HEAD = 30
"""Inserts in a head: the captures of one check."""

WITHOUT_PROGRESS = 120.0
"""Seconds without a new verdict after which a line is taken to stand still."""


class Line:
    """A running line; `worker` is its process, which was started and awaited for `start_seconds`."""

    def __init__(self, settings: WorkerSettings, worker: Child, start_seconds: float):
        self.settings = settings
        self.worker = worker
        self.start_seconds = start_seconds
        self.redis_url = settings.broker_url()
        self.database = Database(settings.url)
        self.images = FolderStore(settings.data / "images")
        self._sender = EventSender(self.redis_url)

    def close(self) -> None:
        """Drop the connections."""
        self._sender.close()
        self.database.close()

    @cached_property
    def _keys(self) -> list[tuple[str, str]]:
        """Keys and digests of the photographs, which are in the store from now on."""
        return [(key, self.images.put(key, image)) for key, image in _keyed(photographs())]

    def publish(self, station: str, count: int) -> None:
        """Put `count` captures into the queue, as a station does, without its outbox and without its wait."""
        check = new_id()
        for number in range(count):
            if number % HEAD == 0:
                check = new_id()
            image, digest = self._keys[number % len(self._keys)]
            self._sender.send(
                CaptureEvent(
                    capture_id=new_id(),
                    captured_at=datetime.now(UTC),
                    station=station,
                    machine="m",
                    head="h",
                    pocket=number % HEAD + 1,
                    operation="op",
                    check_id=check,
                    check_size=min(HEAD, count - number // HEAD * HEAD),
                    image=image,
                    image_sha256=digest,
                )
            )

    @contextmanager
    def standstill(self) -> Iterator[None]:
        """The worker's process is stopped meanwhile; Redis keeps what arrives."""
        if (worker := self.worker.pid) is None:
            raise RuntimeError("the worker has not been started")
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)

    def judged(self, station: str) -> int:
        """How many of a station's captures have a verdict."""
        of_station = select(func.count()).select_from(Verdicts).join(Captures).where(Captures.station == station)
        with self.database.reading() as session:
            return session.scalar(of_station) or 0

    def wait(self, station: str, count: int) -> list[float]:
        """Wait for all verdicts; when each was committed, in seconds since the epoch, in order.

        Raises:
            RuntimeError: the worker ended or nothing moves any more.
        """
        done, moved = -1, time.monotonic()
        while (now_done := self.judged(station)) < count:
            if now_done != done:
                done, moved = now_done, time.monotonic()
            if self.worker.exit_code() is not None or time.monotonic() - moved > WITHOUT_PROGRESS:
                raise RuntimeError(f"the line stands still at {done} of {count}:\n{self.worker.last_words()}")
            time.sleep(0.25)
        times = select(Verdicts.judged_at).join(Captures).where(Captures.station == station)
        with self.database.reading() as session:
            return sorted(moment.timestamp() for moment in session.scalars(times))


@contextmanager
def running(backbone: str, weights: str | None, feature_size: int, fingerprint: str) -> Iterator[Line]:
    """A line whose worker is ready and judges with a random model for features of that size and fingerprint."""

    def start(system: EmbeddedSystem, _: Supervisor) -> Child:
        return system.start_worker(timeout=300.0)

    def put_in_charge(settings: WorkerSettings) -> None:
        _put_in_charge(settings, backbone, feature_size, fingerprint)

    with _system(put_in_charge, start, backbone, weights) as line:
        yield line


@contextmanager
def running_with(command: Sequence[str]) -> Iterator[Line]:
    """A line whose worker is another program, run in the line's environment; it need not be ready yet."""

    def start(system: EmbeddedSystem, supervisor: Supervisor) -> Child:
        child = Child("worker", command, system.data / "logs" / "worker.log", system.environment())
        supervisor.add(child)
        return child

    with _system(lambda _: None, start) as line:
        yield line


@contextmanager
def _system(
    prepare: Callable[[WorkerSettings], None],
    start: Callable[[EmbeddedSystem, Supervisor], Child],
    backbone: str = "insertnet",
    weights: str | None = None,
) -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="bench-line-") as folder, Supervisor() as supervisor:
        settings = WorkerSettings(data=Path(folder), backbone=backbone, weights=weights)
        system = EmbeddedSystem(settings, supervisor)
        system.start_redis(free_port())
        system.migrate()
        prepare(settings)
        began = time.perf_counter()
        worker = start(system, supervisor)
        line = Line(settings, worker, time.perf_counter() - began)
        try:
            yield line
        finally:
            line.close()


def _keyed(images: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    for image in images:
        yield f"bench/{hashlib.sha256(image).hexdigest()[:16]}.jpg", image


def _put_in_charge(settings: WorkerSettings, backbone: str, feature_size: int, fingerprint: str) -> None:
    coef = np.random.default_rng(0).standard_normal((1, feature_size), np.float32)
    manifest = store.save(
        settings.models_path() / "random",
        LinearModel(LINE_CLASSES, coef, np.zeros(1)),
        backbone=backbone,
        fingerprint=fingerprint,
        trained_on=1,
        settings={},
        metrics={},
        created_at=datetime.now(UTC),
    )
    database = Database(settings.url)
    with database.transaction() as session:
        model = model_registry.Model(
            manifest.model_id,
            backbone,
            fingerprint,
            manifest.created_at,
            LINE_CLASSES,
            1,
            {},
            "random",
            manifest.classifier_sha256,
        )
        model_registry.register(session, model)
        model_registry.promote(session, model.model_id, by="benchmark", reason="random", at=manifest.created_at)
    database.close()
