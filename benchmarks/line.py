"""A real line in a temporary folder: Redis, a migrated SQLite database, a champion, and a worker with its processes."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from PIL import Image
from sqlalchemy import func, select

from benchmarks.materials import photographs
from benchmarks.networks import STORE
from benchmarks.processes import tree
from db.engine.database import Database
from db.learning import model_registry
from db.schema.tables import Captures, Verdicts
from producer.contract.event import CaptureEvent, new_id, next_id
from producer.delivery.grouping import DEFAULT_GROUP, in_messages
from producer.delivery.redis_client import EventSender
from producer.storage.folder import FolderStore
from worker.embedded.redis_server import free_port
from worker.embedded.supervisor import ChildProcess, Supervisor
from worker.embedded.system import EmbeddedSystem
from worker.models import store
from worker.models.line_model import LINE_CLASSES
from worker.models.linear_svm import LinearModel
from worker.models.registry import model_of
from worker.networks.loaded_network import Network
from worker.settings import WorkerSettings

HEAD = 30
"""Inserts in a head: the captures of one check."""

WITHOUT_PROGRESS = 120.0
"""Seconds without a new verdict after which a line is taken to stand still."""


class Line:
    """A running line; `worker` is its parent process."""

    def __init__(self, system: EmbeddedSystem, worker: ChildProcess):
        self.settings = system.settings
        self.worker = worker
        self.redis_url = self.settings.broker_url()
        self.database = Database(self.settings.url)
        self.images = FolderStore(self.settings.data / "images")
        self._ready = system.data / "run" / "worker.ready"
        self._sender = EventSender(self.redis_url)
        self._taken = 0

    def close(self) -> None:
        """Drop the connections."""
        self._sender.close()
        self.database.close()

    def publish(self, station: str, count: int, group: int = DEFAULT_GROUP) -> None:
        """Put `count` captures into the queue, head by head in messages as a station sends them, but without waiting.

        A message has at most `group` captures.
        """
        for first in range(0, count, HEAD):
            for message in in_messages(self._head(station, min(HEAD, count - first)), group):
                self._sender.send(*message)
        os.sync()  # the photographs, which would be in the way of the line's own syncs

    def _head(self, station: str, size: int) -> list[CaptureEvent]:
        check = new_id()
        photographs_of = enumerate(self._new_photographs(size), 1)
        return [event_of(image, digest, check, pocket, size, station) for pocket, (image, digest) in photographs_of]

    def _new_photographs(self, count: int) -> Iterator[tuple[str, str]]:
        """Keys and digests of photographs that are in the store from now on, none with the pixels of another.

        What came before makes its check one that may contradict itself, and is read capture by capture.
        """
        (self.images.root / "bench").mkdir(parents=True, exist_ok=True)
        images = photographs()
        for _ in range(count):
            shown = self._taken % len(images)
            key, data = f"bench/{shown}-{self._taken}.jpg", numbered(images[shown], self._taken)
            self._taken += 1
            (self.images.root / key).write_bytes(data)
            yield key, hashlib.sha256(data).hexdigest()

    @contextmanager
    def standstill(self) -> Iterator[None]:
        """All processes of an idle worker are stopped meanwhile; Redis keeps what arrives."""
        stopped = tree(self.worker.pid)
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(stopped):
                process.send_signal(signal.SIGCONT)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """There is no worker meanwhile: it ends what it has in hand, and is ready again afterwards.

        Raises:
            RuntimeError: it does not come back.
        """
        self.worker.stop()
        self._ready.unlink(missing_ok=True)
        yield
        self.worker.start()
        end = time.monotonic() + WITHOUT_PROGRESS
        while not self._ready.exists():
            if self.worker.exit_code() is not None or time.monotonic() > end:
                raise RuntimeError(f"the worker does not come back:\n{self.worker.last_words()}")
            time.sleep(0.02)

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
            time.sleep(1.0)  # each look goes through all verdicts, on a core that the line needs
        times = select(Verdicts.judged_at).join(Captures).where(Captures.station == station)
        with self.database.reading() as session:
            return sorted(moment.timestamp() for moment in session.scalars(times))


@contextmanager
def running(network: Network, model: LinearModel | None = None, processes: int | None = None) -> Iterator[Line]:
    """A line whose worker is ready and judges through a network by a model, by a random one where none is given.

    It has so many processes, or as many as a worker has by default.
    """

    def prepare(settings: WorkerSettings) -> None:
        put_in_charge(settings, network, model or random_model(network.feature_size))

    with _system(prepare, processes) as (system, _):
        line = Line(system, system.start_worker())
        with closing(line):
            yield line


@contextmanager
def running_with(command: Sequence[str], network: Network | None = None) -> Iterator[Line]:
    """A line whose worker is another program, run in the line's environment; it need not be ready yet.

    A random model is in charge, with the network, where there is one.
    """

    def prepare(settings: WorkerSettings) -> None:
        if network is not None:
            put_in_charge(settings, network, random_model(network.feature_size))

    with _system(prepare) as (system, supervisor):
        child = ChildProcess("worker", command, system.data / "logs" / "worker.log", system.environment())
        supervisor.add(child)
        with closing(Line(system, child)) as line:
            yield line


@contextmanager
def without_worker(network: Network) -> Iterator[EmbeddedSystem]:
    """A line with a random model in charge, whose worker is still to be started."""

    def prepare(settings: WorkerSettings) -> None:
        put_in_charge(settings, network, random_model(network.feature_size))

    with _system(prepare) as (system, _):
        yield system


def random_model(feature_size: int) -> LinearModel:
    """A model for features of that size; its verdicts mean nothing."""
    coef = np.random.default_rng(0).standard_normal((1, feature_size), np.float32)
    return LinearModel(LINE_CLASSES, coef, np.zeros(1))


@contextmanager
def _system(
    prepare: Callable[[WorkerSettings], None], processes: int | None = None
) -> Iterator[tuple[EmbeddedSystem, Supervisor]]:
    with tempfile.TemporaryDirectory(prefix="bench-line-") as folder, Supervisor() as supervisor:
        told = {} if processes is None else {"processes": processes}
        settings = WorkerSettings(data=Path(folder), networks=str(STORE.absolute()), **told)
        system = EmbeddedSystem(settings, supervisor)
        system.start_redis(free_port())
        system.migrate()
        prepare(settings)
        yield system, supervisor


def shown_by(key: str) -> int:
    """Which of the photographs a key stands for, from 0."""
    return int(key.removeprefix("bench/").partition("-")[0])


def numbered(image: bytes, number: int) -> bytes:
    """The same photograph with noise of its own in a corner: no camera gives just the same pixels twice."""
    noise = np.random.default_rng(number).integers(0, 256, (48, 48, 3), np.uint8)
    drawn = io.BytesIO()
    with Image.open(io.BytesIO(image)) as photograph:
        photograph.paste(Image.fromarray(noise))
        photograph.save(drawn, "JPEG", quality=92)
    return drawn.getvalue()


def event_of(
    image: str, digest: str, check: UUID, pocket: int = 1, size: int = 1, station: str = "station-1"
) -> CaptureEvent:
    """The event of a capture that is taken now, of one head; its image's key and digest are as given."""
    return CaptureEvent(
        capture_id=next_id(None, zlib.crc32(station.encode())),  # as the station's outbox makes it
        captured_at=datetime.now(UTC),
        station=station,
        machine="m",
        head="h",
        pocket=pocket,
        operation="op",
        check_id=check,
        check_size=size,
        image=image,
        image_sha256=digest,
    )


def put_in_charge(settings: WorkerSettings, network: Network, model: LinearModel, **more: Any) -> None:
    """Make a model the champion of a migrated line, with what `worker.models.store.save` takes of a model besides."""
    manifest = store.save(
        settings.models_path() / "first",
        model,
        backbone=network.name,
        fingerprint=network.fingerprint,
        trained_on=1,
        settings={},
        metrics={},
        created_at=datetime.now(UTC),
        network=network.digest,
        usual=np.zeros(network.feature_size, np.float32),  # so that it gives evidence, as a trained one does
        **more,
    )
    with closing(Database(settings.url)) as database, database.transaction() as session:
        model_registry.register(session, model_of(manifest, "first"))
        model_registry.promote(session, manifest.model_id, by="benchmark", reason="first", at=manifest.created_at)
