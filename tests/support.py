"""What tests of several folders share: a real Redis, events, images, and waiting for a condition."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import redis
from PIL import Image

from producer.contract.event import CaptureEvent, new_id, next_id, node
from producer.contract.news_look import LOOKED
from producer.storage.store import ImageStore
from tests.forked_commands import RunningCommand, start_command
from worker.embedded.redis_server import free_port, prepare_redis

SHARED = Path(__file__).parents[2] / "shared"
"""Real photographs and weights beside the repository; tests that want them skip where they are not."""


class RedisProcess:
    """A real Redis of one test, which may be killed and started again."""

    def __init__(self, folder: Path):
        self.files = prepare_redis(folder, free_port())
        self.url = self.files.url
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self.files.command, stdout=subprocess.DEVNULL)
        self.files.wait_until_up(timeout=60)
        self.seem_looked_for()

    def seem_looked_for(self) -> None:
        """As if a worker looked for news from now on: what connectors show holds; a real worker says it itself."""
        with self.client() as client:
            client.set(LOOKED, "")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextlib.contextmanager
    def slowed(self) -> Iterator[None]:
        """It runs a tenth of the time: one that computes without end leaves the processor to the tests beside it."""
        process, ended = self._process, threading.Event()
        assert process is not None

        def pace() -> None:
            while not ended.wait(0.02):
                process.send_signal(signal.SIGSTOP)
                ended.wait(0.18)
                process.send_signal(signal.SIGCONT)

        pacing = threading.Thread(target=pace)
        pacing.start()
        try:
            yield
        finally:
            ended.set()
            pacing.join()

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, decode_responses=True, protocol=2)


def wait_until(condition: Callable[[], object], timeout: float = 60.0, what: str = "the condition") -> None:
    """Wait for a condition; fail the test when it does not come true in time.

    Between two looks it rests twice as long as a look takes at least, and the longer the longer it has waited, up to a
    fifth of a second: what is waited for needs the processor too.
    """
    start = time.monotonic()
    while True:
        begun = time.monotonic()
        if condition():
            return
        now = time.monotonic()
        if now > start + timeout:
            pytest.fail(f"{what} did not come true within {timeout:.0f} s")
        time.sleep(max(0.05, 2 * (now - begun), min(0.2, (now - start) / 10)))


def retaken(photograph: bytes) -> bytes:
    """What a photograph shows in one more photograph: no camera gives just the same pixels twice."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(photograph)) as image:
        image.paste(Image.frombytes("RGB", (4, 4), os.urandom(3 * 4 * 4)))
        image.save(file, "JPEG", quality=95)
    return file.getvalue()


def photograph(brightness: int = 120, seed: int = 0, size: int = 64, format: str = "JPEG") -> bytes:
    """A small picture with some texture, of about the given mean brightness."""
    noise = np.random.default_rng(seed).normal(brightness, 25, (size, size, 3))
    noise[:, : size // 2] -= 40
    noise[:, size // 2 :] += 40
    noise[: size // 2] -= 20
    noise[size // 2 :] += 20
    file = io.BytesIO()
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(file, format)
    return file.getvalue()


def next_of(after: UUID | None = None) -> UUID:
    """The id of the next capture of the outbox that `after` is of; without it, the first of another outbox."""
    own = None if after is None else node(after)
    return next_id(after, secrets.randbits(32) if own is None else own)


def message(**changes: Any) -> dict[str, Any]:
    """A capture event as it travels, with these fields changed."""
    good: dict[str, Any] = {
        "schema_version": 1,
        "capture_id": str(new_id()),
        "captured_at": "2026-11-22T10:00:00+01:00",
        "station": "station-1",
        "machine": "mill-3",
        "head": "H12",
        "pocket": 7,
        "operation": "op-0815",
        "check_id": str(new_id()),
        "check_size": 30,
        "image": "station-1/2026-11-22/a.jpg",
        "image_sha256": "0" * 64,
    }
    return {**good, **changes}


def stored_event(store: ImageStore, photo: bytes | None, **changes: Any) -> CaptureEvent:
    """An event whose image is in the store (unless there is no photo)."""
    key = changes.pop("image", f"station-1/{new_id()}.jpg")
    if photo is not None:
        store.put(key, photo)
    digest = hashlib.sha256(photo or b"").hexdigest()
    return CaptureEvent.from_message(message(**{"check_size": 1, "image": key, "image_sha256": digest, **changes}))


def program(name: str) -> str:
    """The installed program of that name, as a user runs it."""
    return str(Path(sys.executable).with_name(name))


def start_workers(folder: Path, environment: dict[str, str]) -> tuple[list[RunningCommand], dict[str, Path]]:
    """An inspect worker, a learner and a beat as processes of their own, and the log of each by its command."""
    logs = {command: folder / f"{command}.log" for command in ("run", "learn", "beat")}
    return [start_command("insert-worker", name, environment=environment, log=log) for name, log in logs.items()], logs


def make_no_file(path: Path, kind: str) -> None:
    """Put something at `path` that is no file."""
    match kind:
        case "a link to nowhere":
            path.symlink_to("gone")
        case "a link to itself":
            path.symlink_to(path.name)
        case "a link to a device":
            path.symlink_to("/dev/zero")
        case "a pipe":
            os.mkfifo(path)
        case "a socket":
            with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(path.parent):  # its path may be too long
                server.bind(path.name)
        case "a folder":
            path.mkdir()
        case _:
            raise ValueError(kind)
