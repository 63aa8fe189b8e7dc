"""Leases on real databases: one holder at a time, and none for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from db.engine.database import Database
from db.learning import leases
from tests.database_support import holder_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def take(database: Database, holder: str, after: float = 0.0, name: str = "retrain") -> bool:
    with database.transaction() as session:
        return leases.take(session, name, holder, at=NOON + timedelta(seconds=after), seconds=10)


def held_by(database: Database, after: float = 0.0, name: str = "retrain") -> str | None:
    with database.reading() as session:
        return holder_of(session, name, at=NOON + timedelta(seconds=after))


def test_one_holds_it_until_it_is_given_back(database: Database) -> None:
    assert held_by(database) is None
    assert take(database, "a")
    assert not take(database, "b", 1)
    assert take(database, "b", 1, name="evaluate")
    assert (held_by(database, 1), held_by(database, 1, "evaluate")) == ("a", "b")
    with database.transaction() as session:
        leases.release(session, "retrain", "b")  # not b's to give back
    assert held_by(database, 1) == "a"
    with database.transaction() as session:
        leases.release(session, "retrain", "a")
    assert take(database, "b", 2)


def test_one_that_ran_out_is_taken_over_and_cannot_be_renewed(database: Database) -> None:
    assert take(database, "killed")
    assert not take(database, "b", 9.9)
    assert held_by(database, 10.1) is None
    assert take(database, "b", 10)
    with database.transaction() as session:
        assert not leases.renew(session, "retrain", "killed", at=NOON + timedelta(seconds=11), seconds=10)
    assert held_by(database, 11) == "b"


def test_one_that_is_renewed_goes_on(database: Database) -> None:
    assert take(database, "a")
    with database.transaction() as session:
        assert leases.renew(session, "retrain", "a", at=NOON + timedelta(seconds=8), seconds=10)
    assert not take(database, "b", 15)
    assert take(database, "a", 15)
    assert not take(database, "b", 24)
    assert take(database, "b", 25)


def test_of_many_at_once_one_gets_it(database: Database) -> None:
    barrier = Barrier(6)

    def attempt(holder: int) -> bool:
        barrier.wait()
        return take(database, str(holder))

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(attempt, range(6))) == [False] * 5 + [True]


@pytest.mark.parametrize("ahead", [10 * 3600.0, 73 * 365 * 86400.0])
def test_a_lease_that_a_clock_took_in_the_future_holds_nobody_up(database: Database, ahead: float) -> None:
    assert take(database, "a", ahead)
    assert held_by(database) is None
    assert take(database, "b")
    assert held_by(database) == "b"
