"""The sign of life that a worker leaves in a file, so that its health can be asked without Redis and without it.

The heart has a thread of its own, because Celery's loop stands still while Redis is away, and that is no fault of the
worker's. But it beats only as long as that loop turns whenever it can: a stuck worker falls silent.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from worker.vitals import State, Vitals

log = structlog.get_logger()

BEAT_EVERY: Final = 2.0
"""Seconds between two beats."""

LOOP_LIMIT: Final = 90.0
"""Seconds for which Celery's loop may stand still though it has Redis; one call to Redis may take 30 of them."""


class Heartbeat(BaseModel):
    """One beat: a worker's state at ``time``; spans are in seconds up to then."""

    model_config = ConfigDict(frozen=True)

    pid: int
    time: AwareDatetime
    state: State
    backbone: str
    redis: bool = Field(description="Whether the worker holds a connection to Redis.")
    finished: int = Field(description="Captures that got their verdict or their fault since the worker started.")
    last_finished_seconds: float | None = Field(description="Since the last of them; null before the first.")
    in_hand: int = Field(description="Captures under way.")
    forward_seconds: float | None = Field(description="Since the forward pass that is running began; null: none is.")


class NoHeartbeat(ValueError):
    """There is no heartbeat, or none that can be read; the message says so."""


class Heart:
    """Writes the heartbeat of one worker, between ``with`` and the end of its block; a clean end removes the file."""

    def __init__(self, path: Path, vitals: Vitals, every: float = BEAT_EVERY, loop_limit: float = LOOP_LIMIT):
        self._path = path
        self._vitals = vitals
        self._every = every
        self._loop_limit = loop_limit
        self._off = threading.Event()
        self._silent = False
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._off.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            self._beat()
            if self._off.wait(self._every):
                return

    def _beat(self) -> None:
        still = self._vitals.loop_still_for()
        if still > self._loop_limit:
            self._fall_silent(f"Celery's loop has not turned for {still:.0f} s")
            return
        try:
            write(self._path, _heartbeat(self._vitals))
        except OSError as error:
            self._fall_silent(str(error))
        else:
            self._silent = False

    def _fall_silent(self, reason: str) -> None:
        if not self._silent:
            log.error("no heartbeat", reason=reason)
        self._silent = True


def write(path: Path, heartbeat: Heartbeat) -> None:
    """Put ``heartbeat`` into the file, which is always wholly the old or wholly the new one.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not synced: a machine that lost its power has no heartbeat to keep.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(heartbeat.model_dump_json() + "\n", encoding="utf-8")
    temporary.replace(path)


def read(path: Path) -> Heartbeat:
    """The last beat in the file.

    Raises:
        NoHeartbeat: there is no such file, or it is not a heartbeat.
    """
    try:
        return Heartbeat.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoHeartbeat(f"no heartbeat at {path}, so no worker runs with it ({error.strerror})") from None
    except (ValidationError, UnicodeDecodeError):
        raise NoHeartbeat(f"{path} is not a worker's heartbeat") from None


def age(heartbeat: Heartbeat) -> float:
    """Seconds between the beat and now; also for one from the future, as after a clock was set back."""
    return abs((datetime.now(UTC) - heartbeat.time).total_seconds())


def _heartbeat(vitals: Vitals) -> Heartbeat:
    now = time.monotonic()
    return Heartbeat(
        pid=os.getpid(),
        time=datetime.now(UTC),
        state=vitals.state,
        backbone=vitals.backbone,
        redis=vitals.is_connected(),
        finished=vitals.finished,
        last_finished_seconds=_span(vitals.finished_at, now),
        in_hand=vitals.in_hand,
        forward_seconds=_span(vitals.forward_since(), now),
    )


def _span(since: float | None, now: float) -> float | None:
    return None if since is None else round(max(now - since, 0.0), 3)
