"""The table of checks that wait for photographs, beside `db.schema.tables`."""

from __future__ import annotations

import uuid
from datetime import datetime

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
