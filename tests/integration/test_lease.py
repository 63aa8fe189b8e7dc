"""A lease around a piece of work: held, renewed, given back, and lost without harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.engine.database import Database
from db.learning import leases
from tests.database_support import holder_of
from tests.support import wait_until
from worker.learning import lease
from worker.learning.lease import held


def holder(database: Database, after: float = 0.0) -> str | None:
    with database.reading() as session:
        return holder_of(session, "work", at=datetime.now(UTC) + timedelta(seconds=after))


def test_only_one_of_two_works_and_an_error_gives_it_back(database: Database) -> None:
    with held(database, "work") as first, held(database, "work") as second:
        assert (first, second) == (True, False)
        assert holder(database) is not None
    assert holder(database) is None
    with pytest.raises(RuntimeError, match="broken"), held(database, "work"):
        raise RuntimeError("broken")
    assert holder(database) is None


def test_it_is_renewed_for_as_long_as_the_work_takes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY", 0.05)
    monkeypatch.setattr(lease, "SECONDS", 3.0)
    with held(database, "work"):
        began = datetime.now(UTC)
        mine = holder(database)

        def lasts_longer_than_it_was_taken_for() -> bool:
            with database.reading() as session:
                return holder_of(session, "work", at=began + timedelta(seconds=3.1)) == mine

        wait_until(lasts_longer_than_it_was_taken_for, what="a renewal")


def test_one_that_was_lost_is_not_taken_from_its_new_holder(database: Database) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with held(database, "work"), database.transaction() as session:
        assert leases.take(session, "work", "another", at=later, seconds=60)
    assert holder(database, 3600) == "another"
