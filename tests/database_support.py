"""New databases, and what tests ask one that no command asks in just this way."""

from __future__ import annotations

import itertools
from dataclasses import fields
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import migrate
from db.engine.url import sqlite_url
from db.learning.leases import LONGEST
from db.line import checks
from db.line.checks import Check
from db.line.shadow_verdicts import ShadowVerdict
from db.schema.tables import Checks, Faults, Leases, ShadowVerdicts


def new_sqlite(file: Path) -> str:
    """The URL of a new SQLite database with all tables: a copy of the one that each process migrates once."""
    file.write_bytes(_migrated())
    return sqlite_url(file)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "inserts.db"
        migrate.upgrade(sqlite_url(file))
        return file.read_bytes()


def status_of(session: Session, check_id: UUID) -> Check | None:
    """What a check has come to, as `insert-db checks` lists it; None where no capture of it was recorded."""
    machine = session.scalar(select(Checks.machine).where(Checks.check_id == check_id))
    listed = checks.recent(session, machine=machine, limit=10_000) if machine is not None else []
    return next((check for check in listed if check.check_id == check_id), None)


def open_fault(session: Session, capture_id: UUID) -> str | None:
    """The reason of a capture's open fault."""
    return session.scalar(select(Faults.reason).where(Faults.capture_id == capture_id, Faults.state == "open"))


def shadows_of(session: Session, capture_id: UUID) -> list[ShadowVerdict]:
    """What shadows decided about a capture, the latest first."""
    columns = [getattr(ShadowVerdicts, field.name) for field in fields(ShadowVerdict)]
    query = select(*columns).where(ShadowVerdicts.capture_id == capture_id).order_by(ShadowVerdicts.judged_at.desc())
    return [ShadowVerdict(*row) for row in session.execute(query)]


def holder_of(session: Session, name: str, *, at: datetime) -> str | None:
    """Who holds a lease at that moment."""
    running = (Leases.until > at) & (Leases.until <= at + LONGEST)
    return session.scalar(select(Leases.holder).where(Leases.name == name, running))


_NUMBERS = itertools.count()


def id_at(moment: datetime) -> UUID:
    """A UUIDv7 of that moment, later than all of the same one before it."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62 | next(_NUMBERS))
