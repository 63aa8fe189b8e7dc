"""The table of checks: a head after one operation."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.column_types import Base, index_where


class Checks(Base):
    """Post-operation checks, one row each, made by the first capture that names the check.

    What a check has come to is computed from its captures (`db.line.checks`); the row is there so that checks can
    be listed by time and place without going through every capture. It began with the earliest `ordered_at` of its
    captures, and is as large as the largest `check_size` of them; `machine` and `head` are those of the first that
    came. `awaited`: some pocket was not photographed yet; `given_up`: nor is it waited for any more, or all are there
    and captures contradict each other. `revision` rises in each transaction that gives it another answer, which holds
    the row: of two answers the one with the higher number is the later.
    """

    __tablename__ = "checks"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        Index(None, "started_at", "check_id"),
        Index(None, "machine", "head", "started_at"),
        *(Index(None, place, "started_at", "check_id") for place in ("station", "machine", "head")),
        index_where("ix_checks_awaited", ("started_at", "check_id"), "awaited"),
        index_where("ix_checks_given_up", ("started_at", "check_id"), "given_up"),
        index_where("ix_checks_of_several", ("machine", "head", "started_at", "check_id", "size"), "size > 1"),
    )

    check_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    station: Mapped[str] = mapped_column(String(64))
    machine: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    started_at: Mapped[datetime]
    awaited: Mapped[bool] = mapped_column(server_default=false())
    given_up: Mapped[bool] = mapped_column(server_default=false())
    revision: Mapped[int] = mapped_column(server_default="0")
