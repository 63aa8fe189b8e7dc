"""The line's writes: what many threads have to write at one moment is one transaction.

SQLite allows one writer at a time and syncs every commit; PostgreSQL is a round trip away for every statement. Both
write thirty captures nearly as fast as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import repeat
from typing import Any, Final, cast

import structlog

import db.line.verdicts
from db.engine.database import Database, is_unavailable
from db.line import captures, shadow_verdicts
from db.line.captures import Arrival, Known
from db.line.shadow_verdicts import ShadowVerdict
from db.line.verdicts import Verdict
from worker.line.batching import Batcher
from worker.runtime.waiting import retry_while_unavailable

log = structlog.get_logger()

MAX_ROWS: Final = 256
"""Captures in one transaction at most; a worker has fewer in hand at once."""


class WriteBatcher:
    """Writes captures and verdicts; safe to use from several threads, each of which waits for the commit.

    A database that is away is waited for (`worker.runtime.waiting`).
    """

    def __init__(self, database: Database):
        self._database = database
        # One runner for all kinds: several would only wait for each other's lock.
        self._batcher: Batcher[Arrival | Verdict | ShadowVerdict, Any] = Batcher(
            self._write, MAX_ROWS, name="writes", is_shared=is_unavailable
        )

    def arrive(self, arrival: Arrival) -> Known:
        """Record the capture, and its attempt; what was known of it before (`db.line.captures.arrive`).

        Raises:
            ShuttingDown: the process ends while the database is away.
        """
        return cast(Known, retry_while_unavailable(partial(self._batcher.result_of, arrival)))

    def record(self, verdict: Verdict) -> Verdict:
        """Commit a verdict; the one that counts (`db.line.verdicts.record`).

        Raises:
            ShuttingDown: the process ends while the database is away.
        """
        return cast(Verdict, retry_while_unavailable(partial(self._batcher.result_of, verdict)))

    def note(self, shadow: ShadowVerdict) -> None:
        """Commit a shadow's verdict with whatever comes next, without waiting for it.

        Where that fails it is missing from the comparison, and no more. To be called when the capture's own verdict is
        committed and sent.
        """
        self._batcher.submit(shadow).add_done_callback(partial(_log_failure, shadow))

    def close(self) -> None:
        """Finish what waits."""
        self._batcher.close()

    def _write(self, entries: Sequence[Arrival | Verdict | ShadowVerdict]) -> list[Known | Verdict | None]:
        arrivals = [entry for entry in entries if isinstance(entry, Arrival)]
        verdicts = [entry for entry in entries if isinstance(entry, Verdict)]
        shadows = [entry for entry in entries if isinstance(entry, ShadowVerdict)]
        # Nothing is answered after an arrival alone: what a power cut takes of it is there again when the message is
        # redelivered. Of shadow verdicts it may take the last.
        with self._database.transaction(synced=bool(verdicts)) as session:
            known = iter(captures.arrive(session, arrivals) if arrivals else [])
            kept = iter(db.line.verdicts.record_all(session, verdicts) if verdicts else [])
            shadow_verdicts.record(session, shadows)
        results: dict[type, Iterator[Known | Verdict | None]]
        results = {Arrival: known, Verdict: kept, ShadowVerdict: repeat(None)}
        return [next(results[type(entry)]) for entry in entries]


def _log_failure(shadow: ShadowVerdict, done: Future[Any]) -> None:
    if (error := done.exception()) is not None:
        log.warning("what the shadow says is not kept", model=shadow.model_id, reason=str(error))
