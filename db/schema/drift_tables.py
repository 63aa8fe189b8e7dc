"""The table of drift: how each station's days differ from its first ones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import PLAIN_JSON, Base
from db.schema.model_tables import Models


class StationDays(Base):
    """Each day of each station, held against its reference days (`db.line.station_days`)."""

    __tablename__ = "station_days"
    __table_args__ = (CheckConstraint("photographs >= 0", name="photographs"), Index(None, "day"))

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime]
    photographs: Mapped[int]
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    model_id: Mapped[str | None] = mapped_column(ForeignKey(Models.model_id))
    aspects: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
    farthest: Mapped[list[str]] = mapped_column(PLAIN_JSON)
    sample: Mapped[bytes | None]
    """What was measured of its photographs, where it is a reference day: the learner's own form."""
    accepted_by: Mapped[str | None] = mapped_column(String(120))
    accepted_at: Mapped[datetime | None]
