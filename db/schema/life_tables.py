"""The tables of remaining lives: what was fitted, its answer for each pocket, and the changes to ask about.

Each fit writes them anew (`db.learning.remaining_lives.store`); what is in them follows from the captures.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Double, String
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import PLAIN_JSON, ROW_ID, Base


class LifeFits(Base):
    """The fit of how long inserts last that is in force: one row."""

    __tablename__ = "life_fits"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    at: Mapped[datetime]
    followed: Mapped[int]
    ended: Mapped[int]
    needed: Mapped[int]
    new: Mapped[list[float] | None] = mapped_column(PLAIN_JSON)
    """The curve of a new insert (`db.learning.survival_curve`)."""
    gap: Mapped[float | None] = mapped_column(Double)


class RemainingLives(Base):
    """How long the insert in a pocket lasts, as the fit in force says."""

    __tablename__ = "remaining_lives"
    __table_args__ = (CheckConstraint("pocket > 0", name="pocket"), CheckConstraint("age >= 0", name="age"))

    machine: Mapped[str] = mapped_column(String(64), primary_key=True)
    head: Mapped[str] = mapped_column(String(64), primary_key=True)
    pocket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    age: Mapped[int]
    lives: Mapped[int]
    as_of: Mapped[datetime]
    curve: Mapped[list[float]] = mapped_column(PLAIN_JSON)
    new: Mapped[list[float]] = mapped_column(PLAIN_JSON)


class SuspectedChanges(Base):
    """Pockets whose insert seems to have been changed without anybody saying so."""

    __tablename__ = "suspected_changes"
    __table_args__ = (CheckConstraint("pocket > 0", name="pocket"),)

    machine: Mapped[str] = mapped_column(String(64), primary_key=True)
    head: Mapped[str] = mapped_column(String(64), primary_key=True)
    pocket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[uuid.UUID]
    after: Mapped[datetime]
    at: Mapped[datetime]
    damaged: Mapped[int]
    intact: Mapped[int]
