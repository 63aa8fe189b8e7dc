"""The tables of photographs and what was made of them; each other subject has its `*_tables.py` beside this file.

Everybody imports all tables from here. A plural class is a table; the plain values that go in and come out have
singular names and live with their subject (`db.line.captures`, `db.line.verdicts`, …). The tables come into being
through `db.migrations` only. Columns that were added later are last, as they are in a database that was migrated.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.awaited_tables import AwaitedChecks, CapturesAhead, LateLabels
from db.schema.check_tables import Checks
from db.schema.column_types import LONG_AGO, PLAIN_JSON, ROW_ID, Base, UtcDateTime, index_where, one_of
from db.schema.column_words import PROVENANCES
from db.schema.connector_tables import ConnectorReports, ToldInsertChanges, ToldNews, UntoldChecks, UntoldInsertChanges
from db.schema.drift_tables import StationDays
from db.schema.fault_tables import Faults
from db.schema.index_conditions import DISPUTED, FINDING, UNANSWERED
from db.schema.life_tables import LifeFits, RemainingLives, SuspectedChanges
from db.schema.model_tables import Evaluations, Leases, Models, Promotions, Snapshots
from db.schema.people_tables import Accounts, Audit, Sessions, Tokens
from producer.contract.vocabulary import LABELS, NAMED_PLACES, OUTCOMES

__all__ = [
    "Accounts",
    "Audit",
    "AwaitedChecks",
    "Base",
    "CapturesAhead",
    "Checks",
    "ConnectorReports",
    "Evaluations",
    "Faults",
    "LateLabels",
    "Leases",
    "LifeFits",
    "Models",
    "Promotions",
    "RemainingLives",
    "Sessions",
    "Snapshots",
    "StationDays",
    "SuspectedChanges",
    "Tokens",
    "ToldInsertChanges",
    "ToldNews",
    "UntoldChecks",
    "UntoldInsertChanges",
    "UtcDateTime",
]  # the tables below are public too

_NEWEST: Final = ("ordered_at", "capture_id")


class Captures(Base):
    """Photographs of inserts, with the fields of their events.

    `outcome` is that of the current verdict, or null before there is one. It repeats what `verdicts` knows, in
    the same transaction (`db.line.verdicts.record` is the one writer), because every question of the line joins
    the place and time of a capture with its outcome: with it here, an index answers each, also among ten million.
    `review` is the label of the newest review, or null, for the same reason (`db.learning.reviews.add` writes
    it). `captured_at` is by the station's clock, `ordered_at` the place in the order
    (`db.line.capture_order`).
    """

    __tablename__ = "captures"
    __table_args__ = (
        CheckConstraint("pocket > 0", name="pocket"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        CheckConstraint(one_of("review", LABELS), name="review"),
        Index(None, *_NEWEST),
        Index(None, "machine", "head", "pocket", *_NEWEST),
        *(Index(None, of, *_NEWEST) for of in NAMED_PLACES),
        Index(None, "outcome", *_NEWEST),
        Index(None, "check_id"),
        Index(None, "image_sha256", "received_at", "capture_id"),
        index_where("ix_captures_unanswered", ("outcome", *_NEWEST), UNANSWERED),
        *(index_where(f"ix_captures_finding_{of}", (of, "outcome", *_NEWEST), FINDING) for of in NAMED_PLACES),
        index_where("ix_captures_review", ("review", *_NEWEST), "review <> 'intact'"),
        index_where("ix_captures_disputed", ("capture_id",), DISPUTED),
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
    region: Mapped[dict[str, Any] | None] = mapped_column(PLAIN_JSON)
    insert_designation: Mapped[str | None] = mapped_column(String(40))
    edge: Mapped[int | None]
    operations_on_edge: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    outcome: Mapped[str | None] = mapped_column(String(16))
    review: Mapped[str | None] = mapped_column(String(16))
    ordered_at: Mapped[datetime] = mapped_column(server_default=LONG_AGO)


class Pockets(Base):
    """Every pocket that was ever photographed, with its newest capture, or the one that showed damage before those that
    show nothing.

    It repeats what `captures` knows, for one question: what is in all the pockets now. Finding the newest capture of
    each of 15,000 pockets took 2 s among a million captures, and grew with them; this table has as many rows as the
    factory has pockets. `db.line.captures.record` is its one writer, but for `damaged`
    (`db.line.pockets`): whether that capture shows an insert to be replaced. Where it is still to be judged, that is to
    be looked up in what came before it.
    """

    __tablename__ = "pockets"
    __table_args__ = (index_where("ix_pockets_damaged", ("machine", "head", "pocket"), "damaged"),)

    machine: Mapped[str] = mapped_column(String(64), primary_key=True)
    head: Mapped[str] = mapped_column(String(64), primary_key=True)
    pocket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ordered_at: Mapped[datetime] = mapped_column("captured_at", key="ordered_at")  # named in 0001
    capture_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Captures.capture_id))
    damaged: Mapped[bool] = mapped_column(server_default=false())


class InsertChanges(Base):
    """That a person has changed an insert: photographs of the pocket from then on show another one.

    `known` is the newest photograph of the pocket that had come when it was said, null where none had. It may be
    deleted since.
    """

    __tablename__ = "insert_changes"
    __table_args__ = (
        CheckConstraint("pocket > 0", name="pocket"),
        Index(None, "machine", "head", "pocket", "at"),
        {"sqlite_autoincrement": True},  # the number of one that was withdrawn must not come again
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    machine: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(64))
    pocket: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    known: Mapped[uuid.UUID | None]


class Reviews(Base):
    """Labels that people gave captures: rows are added, never changed; a capture's newest (highest id) counts."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint(one_of("label", LABELS), name="label"),
        CheckConstraint(one_of("provenance", PROVENANCES), name="provenance"),
        Index(None, "capture_id", "id"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    capture_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Captures.capture_id))
    label: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(Text)
    provenance: Mapped[str] = mapped_column(String(8), server_default="single")
    chance: Mapped[float | None] = mapped_column(Double)


class SnapshotItems(Base):
    """One labelled capture of a snapshot: its label then, from which review, and to which insert it belongs."""

    __tablename__ = "snapshot_items"
    __table_args__ = (CheckConstraint(one_of("label", LABELS), name="label"), Index(None, "capture_id"))

    snapshot_id: Mapped[str] = mapped_column(ForeignKey(Snapshots.snapshot_id), primary_key=True)
    capture_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Captures.capture_id), primary_key=True)
    label: Mapped[str] = mapped_column(String(16))
    insert_key: Mapped[str] = mapped_column("life", String(200))
    review_id: Mapped[int] = mapped_column(ForeignKey(Reviews.id))


class Verdicts(Base):
    """What was decided about each capture, by which model; at most one verdict of a capture is the current one."""

    __tablename__ = "verdicts"
    __table_args__ = (
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        UniqueConstraint("capture_id", "model_id"),
        # Nulls are distinct in a unique constraint, so the verdict without a model needs an index of its own.
        index_where("uq_verdicts_capture_id_without_model", ("capture_id",), "model_id IS NULL", unique=True),
        index_where("uq_verdicts_capture_id_current", ("capture_id",), "current", unique=True),
        Index(None, "frame", "id"),
        index_where("ix_verdicts_finding", ("outcome", "id", "model_id", "decision"), FINDING),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    capture_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Captures.capture_id))
    model_id: Mapped[str | None] = mapped_column(ForeignKey(Models.model_id))
    outcome: Mapped[str] = mapped_column(String(16))
    label: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[float | None] = mapped_column(Double)
    judged_at: Mapped[datetime]
    current: Mapped[bool]
    seconds: Mapped[float | None] = mapped_column(Double)
    probability: Mapped[float | None] = mapped_column(Double)
    """The calibrated probability that the insert is damaged."""
    evidence: Mapped[bytes | None]
    """Where the decision came from (`db.evidence.evidence_map`)."""
    sharpness: Mapped[float | None] = mapped_column(Double)
    brightness: Mapped[float | None] = mapped_column(Double)
    frame: Mapped[int | None] = mapped_column(BigInteger)
    """A digest of the photograph's pixels."""
    sketch: Mapped[bytes | None]
    """Its contours in a few squares; with the three before what its station's next ones are held against
    (`db.line.station_history`)."""
    wear_mean: Mapped[float | None] = mapped_column(Double)
    wear_p90: Mapped[float | None] = mapped_column(Double)
    wear_max: Mapped[float | None] = mapped_column(Double)
    wear_length: Mapped[float | None] = mapped_column(Double)
    pixels_per_mm: Mapped[float | None] = mapped_column(Double)
    """Where the scale of the photograph is declared; what is before is in its pixels."""


class ShadowVerdicts(Base):
    """What a model in shadow decided about each capture: a table of its own, which no query of the line reads."""

    __tablename__ = "shadow_verdicts"
    __table_args__ = (CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"), Index(None, "capture_id"))

    model_id: Mapped[str] = mapped_column(ForeignKey(Models.model_id), primary_key=True)
    capture_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Captures.capture_id), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16))
    decision: Mapped[float | None] = mapped_column(Double)
    probability: Mapped[float | None] = mapped_column(Double)
    judged_at: Mapped[datetime]
