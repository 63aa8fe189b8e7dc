"""The tables, and the types that make them mean the same on SQLite and on PostgreSQL.

A plural class is a table; the plain values that go in and come out have singular names and live with their subject
(:mod:`db.captures`, :mod:`db.verdicts`, …). The tables come into being through :mod:`db.migrations` only.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

OUTCOMES: Final = ("intact", "damaged", "unsure", "unusable")
"""What a verdict can say."""

FAULT_STATES: Final = ("open", "requeued", "closed", "dismissed")
"""What a person has made of a fault."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: refuses naive datetimes, and returns aware ones in UTC on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into UTC (SQLite keeps text, so without the offset: it sorts as it should).

        Raises:
            ValueError: the datetime is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs its offset from UTC; {value.isoformat()} has none")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give a stored moment back as an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# SQLite counts rows by itself only where the key is exactly INTEGER, which has 64 bits there.
_RowId = BigInteger().with_variant(Integer(), "sqlite")
_Json = JSON(none_as_null=True)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _unique_where(name: str, column: str, condition: str) -> Index:
    """A unique index over the rows that meet a condition, which is spelled the same on both engines."""
    where = text(condition)
    return Index(name, column, unique=True, sqlite_where=where, postgresql_where=where)


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can name it too."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), uuid.UUID: Uuid()}  # noqa: RUF012 - as SQLAlchemy wants it


class Checks(Base):
    """Post-operation checks, one row each, made by the first capture that names the check.

    What a check has come to is computed from its captures (:mod:`db.checks`); the row is there so that checks can be
    listed by time, machine and head without going through every capture.
    """

    __tablename__ = "checks"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        Index(None, "started_at", "check_id"),
        Index(None, "machine", "head", "started_at"),
    )

    check_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    station: Mapped[str] = mapped_column(String(64))
    machine: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    started_at: Mapped[datetime]


class Captures(Base):
    """Photographs of inserts, as their events told.

    ``outcome`` is that of the current verdict, or null before there is one. It repeats what ``verdicts`` knows, in
    the same transaction (:func:`db.verdicts.record` is the one writer), because every question of the line joins the
    place and time of a capture with its outcome: with it here, an index answers each, also among ten million.
    """

    __tablename__ = "captures"
    __table_args__ = (
        CheckConstraint("pocket > 0", name="pocket"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint(_one_of("outcome", OUTCOMES), name="outcome"),
        Index(None, "captured_at", "capture_id"),
        Index(None, "machine", "head", "pocket", "captured_at", "capture_id"),
        Index(None, "machine", "captured_at", "capture_id"),
        Index(None, "outcome", "captured_at", "capture_id"),
        Index(None, "check_id"),
    )

    capture_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    captured_at: Mapped[datetime]
    received_at: Mapped[datetime]
    station: Mapped[str] = mapped_column(String(64))
    machine: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(64))
    pocket: Mapped[int]
    operation: Mapped[str] = mapped_column(String(64))
    check_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Checks.check_id))
    check_size: Mapped[int]
    image: Mapped[str] = mapped_column(String(512))
    image_sha256: Mapped[str] = mapped_column(String(64))
    region: Mapped[dict[str, int] | None] = mapped_column(_Json)
    insert_designation: Mapped[str | None] = mapped_column(String(40))
    edge: Mapped[int | None]
    operations_on_edge: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    outcome: Mapped[str | None] = mapped_column(String(16))


class Pockets(Base):
    """Every pocket that was ever photographed, with its newest capture.

    It repeats what ``captures`` knows, for one question: what is in all the pockets now. Finding the newest capture of
    each of 15,000 pockets took 2 s among a million captures, and grew with them; this table has as many rows as the
    factory has pockets. :func:`db.captures.record` is its one writer.
    """

    __tablename__ = "pockets"

    machine: Mapped[str] = mapped_column(String(64), primary_key=True)
    head: Mapped[str] = mapped_column(String(64), primary_key=True)
    pocket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    captured_at: Mapped[datetime]
    capture_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Captures.capture_id))


class Models(Base):
    """Trained models: what each is made of and where its artefact lies."""

    __tablename__ = "models"
    __table_args__ = (Index(None, "created_at"),)

    model_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    backbone: Mapped[str] = mapped_column(String(120))
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    classes: Mapped[list[str]] = mapped_column(_Json)
    trained_on: Mapped[int]
    metrics: Mapped[dict[str, Any]] = mapped_column(_Json)
    artefact: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))


class Promotions(Base):
    """Who put which model in charge, when and why: rows are added, never changed."""

    __tablename__ = "promotions"
    __table_args__ = (Index(None, "at", "id"),)

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey(Models.model_id))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)


class Verdicts(Base):
    """What was decided about each capture, by which model; at most one verdict of a capture is the current one."""

    __tablename__ = "verdicts"
    __table_args__ = (
        CheckConstraint(_one_of("outcome", OUTCOMES), name="outcome"),
        UniqueConstraint("capture_id", "model_id"),
        # Nulls are distinct in a unique constraint, so the verdict without a model needs an index of its own.
        _unique_where("uq_verdicts_capture_id_without_model", "capture_id", "model_id IS NULL"),
        _unique_where("uq_verdicts_capture_id_current", "capture_id", "current"),
    )

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    capture_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Captures.capture_id))
    model_id: Mapped[str | None] = mapped_column(ForeignKey(Models.model_id))
    outcome: Mapped[str] = mapped_column(String(16))
    label: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[float | None] = mapped_column(Double)
    judged_at: Mapped[datetime]
    current: Mapped[bool]
    seconds: Mapped[float | None] = mapped_column(Double)


class Faults(Base):
    """What could not be judged, and why. Its capture need not exist: the event may never have been readable."""

    __tablename__ = "faults"
    __table_args__ = (
        CheckConstraint(_one_of("state", FAULT_STATES), name="state"),
        CheckConstraint("count > 0", name="count"),
        _unique_where("uq_faults_subject_open", "subject", "state = 'open'"),
        Index(None, "state", "last_at", "id"),
        Index(None, "capture_id"),
        Index(None, "check_id"),
    )

    id: Mapped[int] = mapped_column(_RowId, primary_key=True)
    subject: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what makes two reports the same fault (:mod:`db.faults`)."""
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
