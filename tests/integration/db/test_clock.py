"""Whoever has a clock that is behind goes by the database's."""

from datetime import datetime, timedelta, tzinfo

import uuid6

from db.engine import clock
from db.line.check_rows import NamedCheck
from db.schema.tables import Checks
from producer.contract.reasons import faults as why
from worker.line import writes
from worker.line.faults import CaptureFault


class _Behind(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) - timedelta(hours=2)


def test_a_computer_whose_clock_is_behind_goes_by_the_database_s(database, monkeypatch) -> None:
    """Of two clocks the later counts: a console whose own is behind calls nothing fresh that is old."""
    monkeypatch.setattr(clock, "datetime", _Behind)
    with database.reading() as session:
        late = datetime.now(clock.UTC) - clock.latest(session)
    is_known = database.url.startswith("postgresql")  # SQLite has no clock but this one
    assert (late < timedelta(minutes=1)) is is_known


def test_a_check_that_a_refused_event_begins_is_newer_than_those_before_also_by_a_worker_behind(
    database, monkeypatch
) -> None:
    """Else the board would stay at the go of the operation before."""
    monkeypatch.setattr(clock, "datetime", _Behind)
    monkeypatch.setattr(writes, "datetime", _Behind, raising=False)
    named = uuid6.uuid7()
    check = NamedCheck(named, "st-1", "mill-1", "head-1", "op-20", 1, own_id=named)
    fault = CaptureFault("invalid_event", why.CRASHED(attempts=3), "{}", None, "st-1", check.check_id, 1, check)
    writes.Writes(database).begin_checks([fault])
    with database.reading() as session:
        started_at = session.get_one(Checks, check.check_id).started_at
    is_known = database.url.startswith("postgresql")
    assert (datetime.now(clock.UTC) - started_at < timedelta(minutes=1)) is is_known
