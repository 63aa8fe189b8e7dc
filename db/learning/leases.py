"""Leases: which process does a piece of work now, so that two schedulers make one run.

A lease expires by itself, so that a process that was killed blocks no other. It saves work and guarantees nothing: a
holder that is stopped for longer than its lease may find another at the same work, and both must be able to bear that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.schema.tables import Leases

LONGEST: Final = timedelta(minutes=10)
"""No lease lasts longer unless it is renewed: one that runs further ahead was taken by a clock that was set back."""


def take(session: Session, name: str, holder: str, *, at: datetime, seconds: float) -> bool:
    """Take the lease of that `name` from `at` on, for so many `seconds`; False while another holds it.

    One that ran out is taken over; a holder that takes its own again renews it. Leases of any name that ran out, or
    run on for longer than any lease lasts, are forgotten.

    Raises:
        ValueError: `at` is naive.
    """
    session.execute(delete(Leases).where(or_(Leases.until <= at, Leases.until > at + LONGEST)))
    new = insert(session, Leases).values(name=name, holder=holder, until=at + timedelta(seconds=seconds))
    taken = session.execute(
        new.on_conflict_do_update(
            index_elements=[Leases.name],
            set_={"holder": new.excluded.holder, "until": new.excluded.until},
            where=or_(Leases.until <= at, Leases.holder == holder),
        ).returning(Leases.name)
    )
    return taken.first() is not None


def renew(session: Session, name: str, holder: str, *, at: datetime, seconds: float) -> bool:
    """Hold the lease for so many `seconds` from `at` on; False where it is another's, or free, by now.

    Raises:
        ValueError: `at` is naive.
    """
    mine = (Leases.name == name) & (Leases.holder == holder)
    until = at + timedelta(seconds=seconds)
    renewed = session.execute(update(Leases).where(mine).values(until=until).returning(Leases.name))
    return renewed.first() is not None


def release(session: Session, name: str, holder: str) -> None:
    """Give the lease back; one that is another's by now stays that one's."""
    session.execute(delete(Leases).where(Leases.name == name, Leases.holder == holder))
