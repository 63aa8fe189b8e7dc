"""Sessions: who is signed in, by the digest of the browser's cookie; they can be revoked at any moment."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.people.session_limits import Limits
from db.schema.column_words import PersonRole
from db.schema.tables import Accounts, Sessions

_SEEN_EVERY: Final = timedelta(minutes=1)
"""The precision of a session's last use: not every page needs a write."""


@dataclass(frozen=True)
class Person:
    """The client that asks for a page. `csrf` is the value that a form of this session must send; `token` the name of
    the token that a program sent in place of a session."""

    name: str
    role: PersonRole
    digest: str
    csrf: str
    token: str | None = None

    @property
    def token_in_audit(self) -> dict[str, Any]:
        """The audit's addition to the name: which program acted."""
        return {} if self.token is None else {"token": self.token}


def begin(session: Session, account: str, at: datetime, limits: Limits) -> str:
    """Begin a session, forget those that have ended, and return what the cookie is to say."""
    ended = or_(Sessions.seen_at <= at - limits.idle, Sessions.started_at <= at - limits.longest)
    session.execute(delete(Sessions).where(ended))
    token = secrets.token_urlsafe(32)
    session.execute(insert(Sessions).values(digest=_digest(token), account=account, started_at=at, seen_at=at))
    return token


_HOLDER: Final = Prepared(
    lambda *_: (
        select(Accounts.name, Accounts.role, Sessions.seen_at)
        .join(Sessions, Sessions.account == Accounts.name)
        .where(
            Sessions.digest == bindparam("digest"),
            ~Accounts.disabled,
            Sessions.seen_at > bindparam("used"),
            Sessions.started_at > bindparam("begun"),
        )
    )
)


def person_of(session: Session, token: str, at: datetime, limits: Limits) -> tuple[Person, bool] | None:
    """The person with that cookie, and whether to call `seen`; None if the session has ended or never existed."""
    digest = _digest(token)
    since = {"used": at - limits.idle, "begun": at - limits.longest}
    rows = _HOLDER.execute(session.connection(), digest=digest, **since)
    if not rows:
        return None
    name, role, seen_at = rows[0]
    csrf = hashlib.sha256(f"a form of {token}".encode()).hexdigest()
    return Person(name, role, digest, csrf), seen_at <= at - _SEEN_EVERY


def seen(session: Session, digest: str, at: datetime) -> None:
    """Note that a session was used."""
    session.execute(update(Sessions).where(Sessions.digest == digest).values(seen_at=at))


def end(session: Session, digest: str) -> None:
    """End a session; one that has ended stays so."""
    session.execute(delete(Sessions).where(Sessions.digest == digest))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
