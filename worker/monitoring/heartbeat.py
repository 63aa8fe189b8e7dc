"""The heartbeat file of a process: its health can be checked without Redis and without asking the process.

It is written from a thread of its own, because Celery's loop stands still while Redis is away, which is no fault of
the process's. But only as long as that loop turns whenever it can: a process that is stuck stops writing it.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol, TypeVar

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from producer.files.durable_files import replaced_file
from producer.runtime.periodic import Periodic

log = structlog.get_logger()

BEAT_EVERY: Final = 2.0
"""Seconds between two beats."""

GREATEST_AGE: Final = 30.0
"""Seconds up to which a heartbeat counts as that of a process that is alive."""

LOOP_LIMIT: Final = 90.0
"""Seconds for which Celery's loop may stand still though it has Redis; one call to Redis may take 30 of them."""

ProcessRole = Literal["worker", "learn", "beat"]
"""The processes that have a heartbeat, named like their commands (`run` is the worker's)."""

Phase = Literal["starting", "ready", "stopping"]


class LifeSign(BaseModel):
    """What every heartbeat says: which process lived at `time`. Spans are in seconds up to then."""

    model_config = ConfigDict(frozen=True)

    pid: int = Field(default_factory=os.getpid)
    time: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))


class Heartbeat(LifeSign):
    """One beat of a worker."""

    state: Phase
    processes: int = Field(description="Processes that judge; one that died is replaced within seconds.")
    model: str | None = Field(description="The model that judged last; null before the first.")
    redis: bool = Field(description="Whether the worker holds a connection to Redis.")
    finished: int = Field(description="Captures of messages that came to their end since the worker started.")
    last_finished_seconds: float | None = Field(description="Since the last of them; null before the first.")
    in_hand: int = Field(description="Captures under way.")
    in_hand_seconds: float | None = Field(description="Since the oldest message under way was begun; null: none is.")
    of_no_known_head: int = Field(
        default=0, description="Photographs of the last hour that could not be used and name no head that is known."
    )


class LearnHeartbeat(LifeSign):
    """One beat of a process that learns."""

    state: Phase
    backbone: str
    redis: bool = Field(description="Whether the process holds a connection to Redis.")
    finished: int = Field(description="Jobs that came to their end without an error since the process started.")
    last_finished_seconds: float | None = Field(description="Since the last of them; null before the first.")
    job: str | None = Field(description="The job that is running: extract, reextract, retrain or evaluate.")
    job_seconds: float | None = Field(description="Since it began; a large set may take hours.")


class SchedulerHeartbeat(LifeSign):
    """One beat of the process that asks for learning's jobs."""

    waits_for_redis: bool = Field(description="Whether it stands still because Redis is away.")
    ticks: int = Field(description="How often it has looked for what is due since it started.")
    last_tick_seconds: float | None = Field(description="Since it looked last; null before the first time.")


class Alive(Protocol):
    """A process that has a heart."""

    def heartbeat(self) -> LifeSign:
        """How it is now."""
        ...

    def loop_still_for(self) -> float:
        """Seconds for which its loop has not turned though it should."""
        ...


class NoHeartbeat(ValueError):
    """There is no heartbeat, or none that can be read; the message says so."""


class Heart(Periodic):
    """Writes the heartbeat of one process; a clean end of the block removes the file."""

    def __init__(self, path: Path, process: Alive, every: float = BEAT_EVERY, loop_limit: float = LOOP_LIMIT):
        super().__init__(every, name="heart", failure="no heartbeat", at_once=True)
        self._path = path
        self._process = process
        self._loop_limit = loop_limit
        self._silent = False
        self.beaten_at = 0.0
        """When it beat last, in seconds since the epoch; 0 before the first time."""

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        self._path.unlink(missing_ok=True)

    def turn(self) -> None:
        """Write a heartbeat, unless the process is stuck; log once why there is none."""
        still = self._process.loop_still_for()
        if still > self._loop_limit:
            self._fall_silent(f"Celery's loop has not turned for {still:.0f} s")
            return
        try:
            write(self._path, self._process.heartbeat())
        except OSError as error:
            self._fall_silent(str(error))
        else:
            self.beaten_at = time.time()
            self._silent = False

    def _fall_silent(self, reason: str) -> None:
        if not self._silent:
            log.error("no heartbeat", reason=reason)
        self._silent = True


def write(path: Path, heartbeat: LifeSign) -> None:
    """Put `heartbeat` into the file, which is always wholly the old or wholly the new one.

    Raises:
        OSError: it cannot be written.
    """
    # Not synced: a machine that lost its power has no heartbeat to keep.
    with replaced_file(path, synced=False) as temporary:
        temporary.write_text(heartbeat.model_dump_json() + "\n", encoding="utf-8")


L = TypeVar("L", bound=LifeSign)


def read(path: Path, kind: type[L] = Heartbeat) -> L:  # type: ignore[assignment]
    """The last beat in the file, of that kind.

    Raises:
        NoHeartbeat: there is no such file, or it is not such a heartbeat.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoHeartbeat(f"no heartbeat at {path}, so nothing runs with it ({error.strerror})") from None
    except (ValidationError, UnicodeDecodeError):
        raise NoHeartbeat(f"{path} is not a heartbeat of this kind ({kind.__name__})") from None


def age(heartbeat: LifeSign) -> float:
    """Seconds between the beat and now; also for one from the future, as after a clock was set back."""
    return abs((datetime.now(UTC) - heartbeat.time).total_seconds())


def span(since: float | None, now: float) -> float | None:
    """Seconds since a moment of `time.monotonic`, to the millisecond; None for none."""
    return None if since is None else round(max(now - since, 0.0), 3)
