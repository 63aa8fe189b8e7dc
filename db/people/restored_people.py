"""Who may come in after a restore: nobody whom the database that it replaces let in no more.

A backup knows neither accounts that were disabled since nor tokens that were revoked, and its sessions are long over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, inspect, select, update
from sqlalchemy.orm import Session

from db.schema.people_tables import Accounts, Sessions, Tokens


@dataclass(frozen=True)
class Withdrawn:
    """The names of disabled accounts, and the digests of revoked tokens."""

    accounts: Collection[str] = ()
    tokens: Collection[str] = ()


def withdrawn(session: Session) -> Withdrawn:
    """Whom the database lets in no more."""
    accounts = select(Accounts.name).where(Accounts.disabled)
    tokens = select(Tokens.digest).where(Tokens.revoked_at.is_not(None))
    there = _tables(session)
    return Withdrawn(
        [*session.scalars(accounts)] if Accounts.__tablename__ in there else (),
        [*session.scalars(tokens)] if Tokens.__tablename__ in there else (),
    )


def withdraw(session: Session, of: Withdrawn, at: datetime) -> None:
    """Let them in no more, and end all sessions."""
    there = _tables(session)
    if Sessions.__tablename__ in there:
        session.execute(delete(Sessions))
    if of.accounts:
        session.execute(update(Accounts).where(Accounts.name.in_(of.accounts)).values(disabled=True))
    if of.tokens and Tokens.__tablename__ in there:
        again = (Tokens.digest.in_(of.tokens), Tokens.revoked_at.is_(None))
        session.execute(update(Tokens).where(*again).values(revoked_at=at))


def _tables(session: Session) -> Collection[str]:
    return inspect(session.connection()).get_table_names()
