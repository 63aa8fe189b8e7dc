"""Holds a lease in the database during a piece of work, and renews it from a thread of its own."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import structlog

from db.engine.database import Database, DatabaseUnavailable
from db.learning import leases
from producer.runtime.periodic import Periodic

log = structlog.get_logger()

SECONDS: Final = 15.0
"""How long a lease lasts unless it is renewed: after a kill others wait at most so long."""

RENEW_EVERY: Final = 5.0
"""Seconds between two renewals."""


@contextmanager
def held(database: Database, name: str) -> Iterator[bool]:
    """Hold the lease of that name in the block; False (and nothing held) while another process holds it.

    Raises:
        DatabaseUnavailable: the database is away, and nothing was taken.
    """
    holder = f"{socket.gethostname()[:60]} {os.getpid()} {uuid.uuid4().hex[:8]}"
    with database.transaction() as session:
        mine = leases.take(session, name, holder, at=datetime.now(UTC), seconds=SECONDS)
    if not mine:
        yield False
        return
    try:
        with _Renewal(database, name, holder):
            yield True
    finally:
        try:
            with database.transaction() as session:
                leases.release(session, name, holder)
        except DatabaseUnavailable as error:  # it expires by itself
            log.warning("a lease could not be given back", lease=name, reason=str(error))


class _Renewal(Periodic):
    def __init__(self, database: Database, name: str, holder: str):
        super().__init__(RENEW_EVERY, name="lease", failure="a lease could not be renewed")
        self._database = database
        self._lease = name
        self._holder = holder

    def turn(self) -> None:
        try:
            with self._database.transaction() as session:
                kept = leases.renew(session, self._lease, self._holder, at=datetime.now(UTC), seconds=SECONDS)
        except DatabaseUnavailable as error:
            log.warning("a lease could not be renewed", lease=self._lease, reason=str(error))
            return
        if not kept:
            log.warning("a lease was lost; another process may do the same work", lease=self._lease)
            self.stop()
