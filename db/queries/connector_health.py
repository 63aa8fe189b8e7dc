"""The state of the connectors and of the systems that they send to: what each reported last, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.engine.upsert import insert
from db.schema.tables import ConnectorReports
from producer.contract.connector_report import KEPT_FOR, ConnectorReport, SinkState

SILENT_AFTER: Final = timedelta(seconds=KEPT_FOR)
"""How long a running connector may be silent: several of its reports."""

FORGOTTEN_AFTER: Final = timedelta(days=7)
"""After how long a silent connector counts as removed."""

LATE_AFTER: Final = timedelta(minutes=5)
"""How long an event may wait for a system that takes them."""

SinkWord = Literal["not known", "disabled", "away", "refuses", "given up", "late", "told"]
"""The delivery state of a system; all but the last need a person."""

SINK_WORDS: Final[tuple[SinkWord, ...]] = get_args(SinkWord)
"""All of them."""


@dataclass(frozen=True)
class SinkHealth:
    """One of the plant's other systems: what its connector said of it, and what that means now."""

    state: SinkState
    word: SinkWord
    lag: timedelta | None
    """How long the oldest event has waited when the connector said so; None where none waited."""

    @property
    def since(self) -> datetime:
        """Since when it takes events, or does not."""
        return datetime.fromtimestamp(self.state.since, UTC)

    @property
    def last_at(self) -> datetime | None:
        """When it took the last event."""
        return None if self.state.last_at is None else datetime.fromtimestamp(self.state.last_at, UTC)


@dataclass(frozen=True)
class ConnectorHealth:
    """One connector: when it was heard last, whether that is too long ago, and its systems.

    `report` is None where what it says is not understood.
    """

    connector: str
    heard_at: datetime
    silent: bool
    report: ConnectorReport | None
    sinks: tuple[SinkHealth, ...]


def keep(session: Session, reports: Mapping[str, str], now: datetime) -> None:
    """Keep what connectors report, by their ids; a repeated report keeps its earlier time.

    A connector that was silent for `FORGOTTEN_AFTER` is removed.
    """
    for connector, report in reports.items():
        new = insert(session, ConnectorReports).values(connector=connector, heard_at=now, report=report)
        values = {"heard_at": now, "report": report}
        session.execute(
            new.on_conflict_do_update(
                index_elements=["connector"], set_=values, where=ConnectorReports.report != report
            )
        )
    session.execute(delete(ConnectorReports).where(ConnectorReports.heard_at < now - FORGOTTEN_AFTER))


def connectors(session: Session, now: datetime) -> list[ConnectorHealth]:
    """The connectors of the last days, those that need a person first."""
    rows = session.scalars(select(ConnectorReports).where(ConnectorReports.heard_at >= now - FORGOTTEN_AFTER))
    health = [_health(row.connector, row.heard_at, row.report, now) for row in rows]
    return sorted(health, key=lambda one: (not one.silent and one.report is not None, one.connector))


def word_of(sink: SinkState, lag: timedelta | None) -> SinkWord:
    """The delivery state of a system, from what its connector says now; the worst state is tested first."""
    if sink.disabled:
        return "disabled"
    if not sink.up:
        return "away"
    if sink.problem:
        return "refuses"
    if sink.given_up:
        return "given up"
    return "late" if lag is not None and lag > LATE_AFTER else "told"


def _health(connector: str, heard_at: datetime, text: str, now: datetime) -> ConnectorHealth:
    silent = now - heard_at > SILENT_AFTER
    try:
        report = ConnectorReport.model_validate_json(text)
    except ValidationError:
        return ConnectorHealth(connector, heard_at, silent, None, ())
    sinks = tuple(_sink(sink, report.written_at, silent) for sink in report.sinks)
    return ConnectorHealth(connector, heard_at, silent, report, sinks)


def _sink(sink: SinkState, written_at: datetime, silent: bool) -> SinkHealth:
    # Both by the connector's clock, so that a wrong one makes no lag.
    lag = None if sink.oldest is None else timedelta(seconds=max(0.0, written_at.timestamp() - sink.oldest))
    return SinkHealth(sink, "not known" if silent else word_of(sink, lag), lag)
