"""Leases: which process does a piece of work now, so that two schedulers make one run.

A lease expires by itself, so that a process that was killed blocks no other. It saves work and guarantees nothing: a
holder that is stopped for longer than its lease may find another at the same work, and both must be able to bear that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, or_, update
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared, inserted
from db.schema.tables import Leases

LONGEST: Final = timedelta(minutes=10)
"""No lease lasts longer unless it is renewed: one that runs further ahead was taken by a clock that was set back."""

# Prepared: a page takes one for each photograph that it hands out.
_FORGET = Prepared(
    lambda *_: delete(Leases.__table__).where(  # type: ignore[arg-type]
        or_(Leases.until <= bindparam("now"), Leases.until > bindparam("too_late"))
    )
)


def _taken(dialect: str, rows: int) -> Any:
    new = inserted(dialect, Leases, ("name", "holder", "until"), rows)
    return new.on_conflict_do_update(
        index_elements=[Leases.name],
        set_={"holder": new.excluded.holder, "until": new.excluded.until},
        where=or_(Leases.until <= bindparam("now"), Leases.holder == bindparam("mine")),
    ).returning(Leases.name)


_TAKE = Prepared(_taken)


def take(session: Session, name: str, holder: str, *, at: datetime, seconds: float) -> bool:
    """Take the lease of that `name` from `at` on, for so many `seconds`; False while another holds it.

    One that ran out is taken over; a holder that takes its own again renews it. Leases of any name that ran out, or
    run on for longer than any lease lasts, are forgotten.

    Raises:
        ValueError: `at` is naive.
    """
    connection = session.connection()
    _FORGET.execute(connection, now=at, too_late=at + LONGEST)
    row = {"name": name, "holder": holder, "until": at + timedelta(seconds=seconds)}
    return bool(_TAKE.execute(connection, [row], now=at, mine=holder))


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
