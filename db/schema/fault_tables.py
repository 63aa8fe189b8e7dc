"""The table of faults: what could not be judged, and why."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import ROW_ID, Base, index_where, one_of
from db.schema.column_words import FAULT_STATES


class Faults(Base):
    """What could not be judged, and why. Its capture need not exist: the event may never have been readable."""

    __tablename__ = "faults"
    __table_args__ = (
        CheckConstraint(one_of("state", FAULT_STATES), name="state"),
        CheckConstraint("count > 0", name="count"),
        index_where("uq_faults_subject_open", ("subject",), "state = 'open'", unique=True),
        Index(None, "state", "last_at", "id"),
        Index(None, "capture_id"),
        Index(None, "check_id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    subject: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what makes two reports the same fault (`db.line.faults`)."""
    capture_id: Mapped[uuid.UUID | None]
    station: Mapped[str | None] = mapped_column(String(64))
    check_id: Mapped[uuid.UUID | None]
    pocket: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(Text)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    count: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    seen_by: Mapped[str | None] = mapped_column(String(120))
    seen_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(120))
    closed_at: Mapped[datetime | None]
