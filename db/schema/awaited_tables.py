"""The tables of what was so when somebody looked: checks that waited, photographs that lay in the future, and labels
that came late."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import Base


class AwaitedChecks(Base):
    """For how many `seconds` workers, one after the other, have seen a check wait for photographs: since it consists of
    so many captures, the last of which came at that moment."""

    __tablename__ = "awaited_checks"

    check_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    captures: Mapped[int]
    last_at: Mapped[datetime]
    seconds: Mapped[float]


class CapturesAhead(Base):
    """The newest photographs of their pockets that lay in the future when they were looked at
    (`db.line.captures_ahead`)."""

    __tablename__ = "captures_ahead"

    capture_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class LateLabels(Base):
    """Photographs that a person has labelled as damage when newer ones of their pockets had come, and the moment of the
    label (`db.line.late_labels`)."""

    __tablename__ = "late_labels"

    machine: Mapped[str] = mapped_column(String(64), primary_key=True)
    head: Mapped[str] = mapped_column(String(64), primary_key=True)
    pocket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    capture_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
