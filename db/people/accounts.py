"""Accounts: who may sign in to the console, and with which role. At first there are none."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from argon2 import PasswordHasher
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.schema.column_words import PersonRole
from db.schema.tables import Accounts, Sessions, Tokens
from producer.configuration.passwords import PasswordHashes
from producer.contract.names import MAX_NAME_LENGTH, check_name

_PASSWORDS: Final = PasswordHashes(PasswordHasher())


@dataclass(frozen=True)
class Account:
    """A person's account, without the password."""

    name: str
    role: PersonRole
    created_at: datetime
    disabled: bool


_COLUMNS = [getattr(Accounts, field.name) for field in fields(Account)]


def check_account_name(name: str) -> str:
    """Return a name in normal form C, if it may be an account's: as that of a machine, or two such with an `@` between
    them, as a plant's login calls people.

    Raises:
        ValueError: it may not.
    """
    person, sign, place = name.partition("@")
    if not sign:
        return check_name(name)
    name = f"{check_name(person)}@{check_name(place)}"
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"a name has at most {MAX_NAME_LENGTH} characters, not {len(name)}")
    return name


def add(session: Session, name: str, role: PersonRole, password: str, at: datetime) -> Account:
    """Make an account.

    Raises:
        ValueError: there is one of that name, the name is none, or the password is too short or too long.
    """
    new = insert(session, Accounts).values(
        name=check_account_name(name), role=role, password=_PASSWORDS.hashed(password), created_at=at, disabled=False
    )
    row = session.execute(new.on_conflict_do_nothing().returning(*_COLUMNS)).first()
    if row is None:
        raise ValueError(f"there is an account {name!r} already: `insert-db users list` shows all")
    return Account(*row)


def every(session: Session) -> list[Account]:
    """All accounts, by name."""
    return [Account(*row) for row in session.execute(select(*_COLUMNS).order_by(Accounts.name))]


def disable(session: Session, name: str, at: datetime) -> None:
    """Disable an account: no sign-in, and its sessions and tokens end. Its name stays on what it signed.

    Raises:
        LookupError: there is no such account.
    """
    _change(session, name, disabled=True)
    session.execute(update(Tokens).where(Tokens.account == name, Tokens.revoked_at.is_(None)).values(revoked_at=at))


def set_password(session: Session, name: str, password: str) -> None:
    """Give an account another password, enable it, and end its sessions; its tokens stay.

    Raises:
        LookupError: there is no such account.
        ValueError: the password is too short or too long.
    """
    _change(session, name, password=_PASSWORDS.hashed(password), disabled=False)


def set_role(session: Session, name: str, role: PersonRole) -> bool:
    """Give an account another role, which its sessions and tokens have from then on; returns whether it is another.

    Raises:
        LookupError: there is no such account.
    """
    query = select(Accounts.role).where(Accounts.name == name).with_for_update()
    before = session.scalar(query)
    if before is None:
        raise _no_account(name)
    if before == role:
        return False
    session.execute(update(Accounts).where(Accounts.name == name).values(role=role))
    return True


def enabled(session: Session, name: str) -> Account | None:
    """The account of that name; None where there is none, or it is disabled."""
    row = session.execute(select(*_COLUMNS).where(Accounts.name == name, ~Accounts.disabled)).first()
    return Account(*row) if row else None


def signed_in(session: Session, name: str, password: str) -> Account | None:
    """The account of that name and password; None where there is none, or it is disabled."""
    row = session.execute(select(*_COLUMNS, Accounts.password).where(Accounts.name == name)).first()
    usable = row is not None and not row.disabled
    if not _PASSWORDS.fits(row.password if row is not None and usable else None, password) or row is None:
        return None
    return Account(*row[:-1])


def _change(session: Session, name: str, **values: object) -> None:
    changed = session.execute(update(Accounts).where(Accounts.name == name).values(values).returning(Accounts.name))
    if changed.first() is None:
        raise _no_account(name)
    session.execute(delete(Sessions).where(Sessions.account == name))


def _no_account(name: str) -> LookupError:
    return LookupError(f"there is no account {name!r}: `insert-db users list` shows all")
