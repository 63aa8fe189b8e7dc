from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite

from db.schema.tables import Base, UtcDateTime


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=lambda dialect: dialect.name)
def test_a_naive_moment_is_refused(dialect: Dialect) -> None:
    with pytest.raises(ValueError, match="needs its offset from UTC"):
        UtcDateTime().bind_processor(dialect)(datetime(2026, 11, 22))  # noqa: DTZ001


def test_a_moment_comes_back_as_utc_whatever_its_offset() -> None:
    moment = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        kept = UtcDateTime().bind_processor(dialect)(moment)
        again = UtcDateTime().result_processor(dialect, None)(kept)
        assert again == moment
        assert again.tzinfo is UTC


def test_moments_of_sqlite_sort_as_text() -> None:
    keep = UtcDateTime().bind_processor(sqlite.dialect())
    moments = [datetime(2026, 11, 22, 1, 30, second, micro, tzinfo=UTC) for second in (0, 1) for micro in (0, 5)]
    assert sorted(map(keep, moments)) == list(map(keep, moments))
    assert keep(moments[0]) == "2026-11-22 01:30:00.000000"
    assert keep(None) is None


def test_every_constraint_and_index_has_a_name() -> None:
    for table in Base.metadata.tables.values():
        for each in [*table.constraints, *table.indexes]:
            assert each.name, f"{each!r} of {table.name}"
            assert len(str(each.name)) <= 63, "PostgreSQL would cut it"
