"""The tables of the console's people; those of the line are in `db.schema.tables`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import PLAIN_JSON, ROW_ID, Base, one_of
from db.schema.column_words import PERSON_ROLES


class Accounts(Base):
    """Who may sign in. An account is disabled, never deleted: its name is in reviews and in the audit."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint(one_of("role", PERSON_ROLES), name="role"),)

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str] = mapped_column(String(255))
    """Argon2's own text, with its salt and costs; or whom an OpenID provider vouches for
    (`db.people.provided_accounts`)."""
    created_at: Mapped[datetime]
    disabled: Mapped[bool] = mapped_column(server_default=false())


class Sessions(Base):
    """Who is signed in: what a browser's cookie says is known here by its SHA-256 only."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "account"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey(Accounts.name))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Tokens(Base):
    """What programs show in place of a session, known here by its SHA-256 only; one that has ended stays."""

    __tablename__ = "tokens"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "account"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey(Accounts.name))
    name: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Audit(Base):
    """What people did that changed something: rows are only added."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "by", "id"), Index(None, "action", "id"))

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
