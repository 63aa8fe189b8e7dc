"""Models that learned from snapshots of the labelled set, and whether any of them was ever in charge."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from db.learning import model_registry
from db.learning.model_registry import Model
from db.schema.tables import Models, Promotions


def of_snapshot(session: Session, snapshot_id: str, fingerprint: str) -> list[Model]:
    """The models that learned from this snapshot, on features of this fingerprint; newest first."""
    query = (
        select(Models.model_id)
        .where(Models.snapshot_id == snapshot_id, Models.fingerprint == fingerprint)
        .order_by(Models.created_at.desc(), Models.model_id)
    )
    found = (model_registry.find(session, model_id) for model_id in session.scalars(query).all())
    return [model for model in found if model is not None]


def newest(session: Session) -> Model | None:
    """The model that learned from a snapshot last, or None before there is one."""
    query = (
        select(Models.model_id)
        .where(Models.snapshot_id.is_not(None))
        .order_by(Models.created_at.desc(), Models.model_id)
        .limit(1)
    )
    model_id = session.scalar(query)
    return None if model_id is None else model_registry.find(session, model_id)


def was_in_charge(session: Session, model_id: str) -> bool:
    """Whether the model is, or ever was, the champion."""
    query = exists().where(Promotions.model_id == model_id, Promotions.role == "champion")
    return bool(session.scalar(select(query)))
