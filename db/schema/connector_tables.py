"""The tables about the plant's other systems: what they have told, up to where they were told, and who tells them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import ROW_ID, Base


class ToldInsertChanges(Base):
    """Insert changes that came by the connector, and what became of each: so one that comes again changes nothing.

    `at` is its place in the order of photographs; without one it was refused, and `refused` says why.
    """

    __tablename__ = "told_insert_changes"
    __table_args__ = (CheckConstraint("pocket > 0", name="pocket"),)

    change_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    machine: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(64))
    pocket: Mapped[int]
    first: Mapped[uuid.UUID | None]
    by: Mapped[str] = mapped_column(String(120))
    via: Mapped[str] = mapped_column(String(64))
    said_at: Mapped[datetime]
    at: Mapped[datetime | None]
    refused: Mapped[str | None] = mapped_column(Text)


class UntoldInsertChanges(Base):
    """Insert changes that people said, or took back, at the line itself and that the plant's other systems are still to
    be told: written with the change, and removed once it is told. `at` is its place in the order of photographs."""

    __tablename__ = "untold_insert_changes"

    number: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    change_id: Mapped[uuid.UUID]
    machine: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(64))
    pocket: Mapped[int]
    by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    withdrawn: Mapped[bool] = mapped_column(server_default=false())


class UntoldChecks(Base):
    """Checks of which a person has labelled what their head shows now, or that know what no answer says: both are still
    to be told."""

    __tablename__ = "untold_checks"

    check_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class ToldNews(Base):
    """What the plant's other systems were told last: `models` up to which row of promotions, `restore` which restored
    backup and when, and `station NAME` since when its photographs cannot be judged, while that goes on."""

    __tablename__ = "told_news"

    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))


class ConnectorReports(Base):
    """What each connector reported last, as it came, by its id; `heard_at` is when a worker heard it."""

    __tablename__ = "connector_reports"

    connector: Mapped[str] = mapped_column(String(64), primary_key=True)
    heard_at: Mapped[datetime]
    report: Mapped[str] = mapped_column(Text)
