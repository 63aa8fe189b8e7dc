"""Accounts of people for whom the plant's OpenID provider vouches: made with their first sign-in, without a password.

Such an account is identified by the provider's permanent subject, not by its name: a person who is given a name there
that another person has here does not become that person.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.people import audit
from db.people.accounts import Account, check_account_name
from db.schema.column_words import PersonRole
from db.schema.tables import Accounts

_MARK: Final = "oidc:"
"""The beginning of what is kept in place of a password: no password has such a hash."""

_HOW: Final = "by OpenID Connect"


def signed_in(session: Session, *, issuer: str, subject: str, name: str, role: PersonRole, at: datetime) -> Account:
    """The account of a person who signed in at the provider, with the role it gives now; a new one gets the name.

    Raises:
        LookupError: the account is disabled.
        ValueError: another person has an account of that name, or the name is invalid.
    """
    known_by = _MARK + hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()
    row = _of(session, known_by)
    if row is None:
        name = check_account_name(name)
        values = {"name": name, "role": role, "password": known_by, "created_at": at, "disabled": False}
        new = insert(session, Accounts).values(values).on_conflict_do_nothing().returning(Accounts.name)
        if session.execute(new).first() is not None:
            audit.write(session, at=at, by=name, action="account added", subject=name, role=role, how=_HOW)
        row = _of(session, known_by)
        if row is None:
            raise ValueError(f"somebody else has an account {name!r} here")
    if row.disabled:
        raise LookupError(f"the account {row.name!r} is disabled")
    if row.role != role:
        session.execute(update(Accounts).where(Accounts.name == row.name).values(role=role))
        audit.write(session, at=at, by=row.name, action="role changed", subject=row.name, role=role, how=_HOW)
    return Account(row.name, role, row.created_at, disabled=False)


def _of(session: Session, known_by: str) -> Any:
    columns = (Accounts.name, Accounts.role, Accounts.created_at, Accounts.disabled)
    return session.execute(select(*columns).where(Accounts.password == known_by)).first()
