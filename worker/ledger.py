"""The database as judging sees it: what many threads have to write at one moment is one transaction.

SQLite lets one writer in at a time and syncs every commit; PostgreSQL is a round trip away for every statement. Both
take thirty captures nearly as fast as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import db.captures
import db.verdicts
from db.captures import Arrival, Known
from db.session import Database, is_unavailable
from db.verdicts import Verdict
from worker.batching import Batcher
from worker.patience import patiently

MAX_ROWS: Final = 256
"""Captures in one transaction at most; a worker has fewer in hand."""


class Ledger:
    """Writes captures and verdicts; safe to use from several threads, each of which waits for the commit.

    A database that is away is waited for (`worker.patience`).
    """

    def __init__(self, database: Database):
        self._database = database
        # One runner for both kinds: two would only wait for each other's lock.
        self._batcher: Batcher[Arrival | Verdict, Any] = Batcher(
            self._write, MAX_ROWS, name="ledger", everybodys=is_unavailable
        )

    def arrive(self, arrival: Arrival) -> Known:
        """Have the capture's row, its attempt counted; what was known of it before (`db.captures.arrive`).

        Raises:
            Stopping: the worker ends while the database is away.
        """
        return cast(Known, patiently(lambda: self._batcher(arrival)))

    def record(self, verdict: Verdict) -> Verdict:
        """Commit a verdict; what is kept (`db.verdicts.record`).

        Raises:
            Stopping: the worker ends while the database is away.
        """
        return cast(Verdict, patiently(lambda: self._batcher(verdict)))

    def close(self) -> None:
        """Finish what waits."""
        self._batcher.close()

    def _write(self, entries: Sequence[Arrival | Verdict]) -> list[Known | Verdict]:
        arrivals = [entry for entry in entries if isinstance(entry, Arrival)]
        verdicts = [entry for entry in entries if isinstance(entry, Verdict)]
        # Nobody is told of an arrival. What a power cut takes of it the same message brings again.
        with self._database.transaction(synced=bool(verdicts)) as session:
            known = iter(db.captures.arrive(session, arrivals) if arrivals else [])
            kept = iter(db.verdicts.record_all(session, verdicts) if verdicts else [])
        return [next(known) if isinstance(entry, Arrival) else next(kept) for entry in entries]
