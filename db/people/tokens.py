"""Tokens: what a program shows in place of a session. A token does what its account may, until it ends.

A token is shown once, when it is made; only its SHA-256 is kept. It is random, so it cannot be guessed, and an
expensive hash would add nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.orm import Session

from db.people.sessions import Person
from db.schema.tables import Accounts, Tokens
from producer.contract.names import check_name

PREFIX: Final = "inserts_"
"""How every token begins, so that programs which look for secrets in files find it."""

_NOTED_EVERY: Final = timedelta(minutes=1)
"""The precision of a token's last use: not every answer needs a write."""


@dataclass(frozen=True)
class Token:
    """A token, without what it says. It has ended when it was revoked, or at `expires_at`."""

    account: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


_COLUMNS = [getattr(Tokens, field.name) for field in fields(Token)]


def add(session: Session, account: str, name: str, at: datetime, expires_at: datetime | None) -> str:
    """Make a token for an account, and return its text, which cannot be read again.

    Raises:
        LookupError: there is no such account, or it is disabled.
        ValueError: the name is none, or the account has a token of that name that has not ended.
    """
    name = check_name(name)
    # Whoever else makes one for this account waits here.
    known = select(Accounts.name).where(Accounts.name == account, ~Accounts.disabled).with_for_update()
    if session.execute(known).first() is None:
        raise LookupError(f"there is no account {account!r} that may sign in: `insert-db users list` shows all")
    if session.execute(select(Tokens.id).where(*_valid(at), Tokens.account == account, Tokens.name == name)).first():
        raise ValueError(f"{account} has a token {name!r} already: `insert-db users token list` shows all")
    secret = PREFIX + secrets.token_urlsafe(32)
    values = {"account": account, "name": name, "digest": digest_of(secret), "created_at": at, "expires_at": expires_at}
    session.execute(insert(Tokens).values(values))
    return secret


def every(session: Session, account: str | None = None) -> list[Token]:
    """All tokens, or those of one account, by account and name; those that have ended too."""
    query = select(*_COLUMNS).order_by(Tokens.account, Tokens.name, Tokens.id)
    if account is not None:
        query = query.where(Tokens.account == account)
    return [Token(*row) for row in session.execute(query)]


def revoke(session: Session, account: str, name: str, at: datetime) -> None:
    """End a token at once, for good.

    Raises:
        LookupError: the account has none of that name that has not ended.
    """
    of_name = Tokens.account == account, Tokens.name == name
    ended = update(Tokens).where(*of_name, *_valid(at)).values(revoked_at=at).returning(Tokens.id)
    if session.execute(ended).first() is None:
        raise LookupError(f"{account} has no token {name!r} to revoke: `insert-db users token list` shows all")


def person_of(session: Session, secret: str, at: datetime) -> tuple[Person, bool] | None:
    """The token's account, and whether to call `used`; None if there is no such token or it has ended."""
    digest = digest_of(secret)
    row = session.execute(
        select(Accounts.name, Accounts.role, Tokens.name.label("token"), Tokens.last_used_at)
        .join(Tokens, Tokens.account == Accounts.name)
        .where(Tokens.digest == digest, ~Accounts.disabled, *_valid(at))
    ).first()
    if row is None:
        return None
    to_note = row.last_used_at is None or row.last_used_at <= at - _NOTED_EVERY
    return Person(row.name, row.role, digest, csrf="", token=row.token), to_note


def used(session: Session, digest: str, at: datetime) -> None:
    """Note that a token was used."""
    session.execute(update(Tokens).where(Tokens.digest == digest).values(last_used_at=at))


def digest_of(secret: str) -> str:
    """The digest that is kept of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _valid(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Tokens.revoked_at.is_(None), or_(Tokens.expires_at.is_(None), Tokens.expires_at > at)
