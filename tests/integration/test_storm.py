"""The short form of `make faults`: everything is killed a few times under load, and nothing is lost or judged twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.services import FailingDatabase, Postgres, Sqlite
from tests.faults.storm import Plan, storm
from tests.integration.conftest import ENGINES
from tests.support import RedisProcess


@pytest.fixture(params=ENGINES)
def failing_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FailingDatabase]:
    database: FailingDatabase = Postgres() if request.param == "postgresql" else Sqlite(tmp_path)
    yield database
    database.close()


@pytest.mark.usefixtures("networks")
def test_a_short_storm_loses_nothing(
    failing_database: FailingDatabase, redis_server: RedisProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is lost comes again sooner than stations have it in earnest; the long run (`make faults`) leaves it as it is.
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 2.0)
    monkeypatch.setattr("producer.delivery.resend.LAST_RESEND", 8.0)
    plan = Plan(
        worker_kills=2,
        process_kills=3,
        redis_kills=1,
        redis_wipes=1,
        database_restarts=1,
        seed=4,
        captures_per_second=5,
        sooner=True,
    )
    outcome = storm(plan, tmp_path, redis_server, failing_database, print)
    outcome.account.assert_kept()
    assert outcome.account.submitted > 10
