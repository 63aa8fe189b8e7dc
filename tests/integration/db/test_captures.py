from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
import uuid6
from sqlalchemy import func, select

from db import captures, checks
from db.schema import Captures, Pockets


def test_a_capture_comes_back_as_it_went_in(line, start) -> None:
    plain = line.capture()
    full = line.capture(
        2,
        region={"left": 1, "top": 2, "width": 30, "height": 40},
        insert_designation="CNMG 120408-PM",
        edge=3,
        operations_on_edge=12,
    )
    with line.database.transaction() as session:
        assert captures.record(session, plain, start) is True
        assert captures.record(session, full, start) is True
    with line.database.reading() as session:
        assert captures.find(session, plain.capture_id) == plain
        assert captures.find(session, full.capture_id) == full
        assert captures.find(session, uuid6.uuid7()) is None


def test_twice_is_once(line, start) -> None:
    capture = line.see()
    with line.database.transaction() as session:
        assert captures.record(session, capture, start + timedelta(days=1)) is False
        assert captures.record(session, replace(capture, pocket=9, check_id=uuid6.uuid7()), start) is False
    with line.database.reading() as session:
        assert captures.find(session, capture.capture_id) == capture
        assert session.scalar(select(Captures.received_at)) == start
        assert len(checks.recent(session)) == 1


def test_many_at_once_record_it_once(line, start) -> None:
    capture = line.capture()
    together = Barrier(8)

    def record() -> bool:
        together.wait(30)
        with line.database.transaction() as session:
            return captures.record(session, capture, start)

    with ThreadPoolExecutor(8) as pool:
        found = [each.result() for each in [pool.submit(record) for _ in range(8)]]
    assert sorted(found) == [False] * 7 + [True]


def test_all_captures_of_a_check_at_once(line, start) -> None:
    together = Barrier(8)

    def record(pocket: int) -> bool:
        capture = line.capture(pocket, minute=10 - pocket)
        together.wait(30)
        with line.database.transaction() as session:
            return captures.record(session, capture, start)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(record, range(1, 9)))
    with line.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Captures)) == 8
        [check] = checks.recent(session)
    assert check.started_at == start + timedelta(minutes=2), "the earliest capture, in whatever order they came"


def test_of_captures_of_one_pocket_at_once_the_newest_is_the_pockets(line, start) -> None:
    together = Barrier(8)

    def record(minute: int) -> None:
        capture = line.capture(1, minute, check_id=uuid6.uuid7())
        together.wait(30)
        with line.database.transaction() as session:
            captures.record(session, capture, start)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(8)))
    with line.database.reading() as session:
        [pocket] = session.execute(select(Pockets.captured_at, Captures.captured_at).join(Captures)).all()
    assert pocket[0] == pocket[1] == start + timedelta(minutes=7)


def test_attempts_are_counted(line) -> None:
    capture = line.see()
    for expected in (1, 2, 3):
        with line.database.transaction() as session:
            assert captures.count_attempt(session, capture.capture_id) == expected


def test_attempts_at_an_unknown_capture_are_an_error(line) -> None:
    with pytest.raises(LookupError, match="not recorded"), line.database.transaction() as session:
        captures.count_attempt(session, UUID(int=1))


def test_a_naive_time_is_refused(line, start) -> None:
    capture = line.capture(captured_at=start.replace(tzinfo=None))
    with pytest.raises(Exception, match="needs its offset from UTC"), line.database.transaction() as session:
        captures.record(session, capture, start)
