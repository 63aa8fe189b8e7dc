from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from db.schema.tables import Base, UtcDateTime


def test_a_naive_moment_is_refused() -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        with pytest.raises(ValueError, match="needs its offset from UTC"):
            UtcDateTime().process_bind_param(datetime(2026, 11, 22), dialect)  # noqa: DTZ001


def test_a_moment_comes_back_as_utc_whatever_its_offset() -> None:
    moment = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        kept = UtcDateTime().process_bind_param(moment, dialect)
        found = UtcDateTime().process_result_value(kept, dialect)
        assert found == moment
        assert found.tzinfo is UTC


def test_every_constraint_and_index_has_a_name() -> None:
    for table in Base.metadata.tables.values():
        for each in [*table.constraints, *table.indexes]:
            assert each.name, f"{each!r} of {table.name}"
            assert len(str(each.name)) <= 63, "PostgreSQL would cut it"
