"""The tables of models: what they learned from, what was measured of them, and which role each has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import PLAIN_JSON, ROW_ID, Base, one_of
from producer.contract.vocabulary import MODEL_ACTIONS, MODEL_ROLES


class Snapshots(Base):
    """Labelled sets as they were at a moment; what is in one is named by its id and never changes."""

    __tablename__ = "snapshots"
    __table_args__ = (Index(None, "created_at"),)

    snapshot_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime]
    size: Mapped[int]
    counts: Mapped[dict[str, int]] = mapped_column(PLAIN_JSON)
    last_review: Mapped[int] = mapped_column(ROW_ID)
    """The highest id of a review in it, 0 where it is empty."""


class Models(Base):
    """Trained models: what each is made of and where its artefact is."""

    __tablename__ = "models"
    __table_args__ = (Index(None, "created_at"),)

    model_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    backbone: Mapped[str] = mapped_column(String(120))
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    classes: Mapped[list[str]] = mapped_column(PLAIN_JSON)
    trained_on: Mapped[int]
    metrics: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)
    artefact: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))
    snapshot_id: Mapped[str | None] = mapped_column(ForeignKey(Snapshots.snapshot_id))
    network_digest: Mapped[str | None] = mapped_column(String(64))


class Evaluations(Base):
    """What was measured of a model, as the JSON of its report: rows are only added, a model's newest counts."""

    __tablename__ = "evaluations"
    __table_args__ = (Index(None, "model_id", "id"),)

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey(Models.model_id))
    at: Mapped[datetime]
    report: Mapped[dict[str, Any]] = mapped_column(PLAIN_JSON)


class Promotions(Base):
    """Which model got which role, from whom, when and why: rows are only added. No model: the shadow ended."""

    __tablename__ = "promotions"
    __table_args__ = (
        CheckConstraint(one_of("role", MODEL_ROLES), name="role"),
        CheckConstraint(one_of("action", MODEL_ACTIONS), name="action"),
        CheckConstraint("model_id IS NOT NULL OR role = 'shadow'", name="model_id"),
        Index(None, "at", "id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    model_id: Mapped[str | None] = mapped_column(ForeignKey(Models.model_id))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16), server_default="champion")
    action: Mapped[str] = mapped_column(String(16), server_default="promoted")


class Leases(Base):
    """Which process does a piece of work that one at a time should do, and until when unless it is renewed."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    holder: Mapped[str] = mapped_column(String(120))
    until: Mapped[datetime]
