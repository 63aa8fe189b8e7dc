"""Of two clocks the later counts: a console whose own is behind calls nothing fresh that is old."""

from datetime import datetime, timedelta, tzinfo

from db.engine import clock


class _Behind(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) - timedelta(hours=2)


def test_a_computer_whose_clock_is_behind_goes_by_the_database_s(database, monkeypatch) -> None:
    monkeypatch.setattr(clock, "datetime", _Behind)
    with database.reading() as session:
        late = datetime.now(clock.UTC) - clock.latest(session)
    is_known = database.url.startswith("postgresql")  # SQLite has no clock but this one
    assert (late < timedelta(minutes=1)) is is_known
