"""Holds a lease in the database during a piece of work, and renews it from a thread of its own."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import structlog

from db.engine.database import Database, DatabaseUnavailable
from db.learning import leases

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
    off = threading.Event()
    renewing = threading.Thread(target=_renew, args=(database, name, holder, off), name="lease", daemon=True)
    renewing.start()
    try:
        yield True
    finally:
        off.set()
        renewing.join()
        try:
            with database.transaction() as session:
                leases.release(session, name, holder)
        except DatabaseUnavailable as error:  # it expires by itself
            log.warning("a lease could not be given back", lease=name, reason=str(error))


def _renew(database: Database, name: str, holder: str, off: threading.Event) -> None:
    while not off.wait(RENEW_EVERY):
        try:
            with database.transaction() as session:
                kept = leases.renew(session, name, holder, at=datetime.now(UTC), seconds=SECONDS)
        except DatabaseUnavailable as error:
            log.warning("a lease could not be renewed", lease=name, reason=str(error))
            continue
        if not kept:
            log.warning("a lease was lost; another process may do the same work", lease=name)
            return
