"""Celery beat's schedule state as a JSON file. Celery's own is a shelve, which is pickle: a file that can run code."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from celery.beat import Scheduler, SchedulingError
from kombu.exceptions import OperationalError

from producer.files.durable_files import replaced_file
from worker.runtime.waiting import Service, retry_while_unavailable

log = structlog.get_logger()

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""The last time of a task that was never sent: it is due at once."""


class FileScheduler(Scheduler):  # type: ignore[misc]
    """Remembers across restarts when each task was last sent, so that a beat that is often restarted still sends them.

    It counts its ticks, each a look for what is due, for beat's heartbeat.
    """

    def __init__(self, app: Any, schedule_filename: str, **options: Any):
        """Schedule `app.conf.beat_schedule`; the state is kept in the file of that name."""
        self._file = Path(schedule_filename)
        self.ticks = 0
        self.ticked_at: float | None = None
        """When the last tick began, in seconds of `time.monotonic`."""
        self.waits_for_redis = False
        super().__init__(app, **options)

    def tick(self, *args: Any, **options: Any) -> Any:
        """Send one task that is due; return the seconds until the next look."""
        self.ticks += 1
        self.ticked_at = time.monotonic()
        self._believe_no_future()
        return super().tick(*args, **options)

    def _ensure_connected(self) -> Any:
        self.waits_for_redis = True  # for as long as it takes
        try:
            return super()._ensure_connected()
        finally:
            self.waits_for_redis = False
            self.ticked_at = time.monotonic()

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_: Any) -> Any:
        """Send one task, waiting while Redis is away or refuses: Celery would skip it until it is due again."""
        due = self.reserve(entry) if advance else entry
        self.waits_for_redis = True
        try:
            return retry_while_unavailable(partial(super().apply_async, due, producer, False), _REDIS)
        finally:
            self.waits_for_redis = False
            self.ticked_at = time.monotonic()

    def setup_schedule(self) -> None:
        """Take the schedule of the settings, with the remembered times."""
        self.merge_inplace(self.app.conf.beat_schedule)
        remembered = read(self._file)
        for name, entry in self.schedule.items():
            entry.last_run_at = remembered.get(name, LONG_AGO)
        self._believe_no_future()

    def _believe_no_future(self) -> None:
        # A time in the future, as after a clock was set back, would delay the task until then.
        now = datetime.now(UTC)
        for entry in self.schedule.values():
            entry.last_run_at = min(entry.last_run_at, now)

    def sync(self) -> None:
        """Write the state."""
        times = {name: entry.last_run_at.isoformat() for name, entry in self.schedule.items()}
        try:
            with replaced_file(self._file) as path:
                path.write_text(json.dumps(times, indent=2) + "\n", "utf-8")
        except OSError as error:
            log.warning("beat's memory cannot be written", file=str(self._file), reason=str(error))


def _is_unsent(error: BaseException) -> bool:
    # Celery raises its own error while it handles kombu's.
    return isinstance(error, SchedulingError) and isinstance(error.__context__, OperationalError)


_REDIS: Final = Service("Redis", _is_unsent)


def read(file: Path) -> dict[str, datetime]:
    """Return when each task was last sent; nothing where there is no file or none that can be read."""
    try:
        times = json.loads(file.read_text("utf-8"))
        return {str(name): datetime.fromisoformat(text).astimezone(UTC) for name, text in times.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("beat's memory is damaged, all is due at once", file=str(file), reason=str(error))
        return {}
