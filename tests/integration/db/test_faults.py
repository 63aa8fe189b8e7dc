from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import uuid6

from db.engine.database import Database
from db.line import attempts, checks, faults
from db.line.faults import MAX_DETAIL, MAX_EVENT, Fault


def record(line, start, **changes: Any) -> Fault:
    values = {
        "capture_id": None,
        "station": "st-1",
        "check_id": None,
        "pocket": None,
        "reason": "invalid_event",
        "detail": "pocket: should be a whole number",
        "event": '{"pocket": "x"}',
        "at": start,
    }
    with line.database.transaction() as session:
        return faults.record(session, **(values | changes))


def test_many_faults_come_over_one_connection(line, start) -> None:
    for number in range(15):  # PostgreSQL plans a statement anew the first ten times
        record(line, start, event=str(number))
        record(line, start, event=str(number))
    with line.database.reading() as session:
        assert [fault.count for fault in faults.search(session)] == [2] * 15


def test_a_fault_comes_back_as_it_went_in(line, start) -> None:
    capture_id, check_id = uuid6.uuid7(), uuid6.uuid7()
    fault = record(line, start, capture_id=capture_id, check_id=check_id, pocket=7, reason="image_missing")
    assert fault == Fault(
        id=fault.id,
        capture_id=capture_id,
        station="st-1",
        check_id=check_id,
        pocket=7,
        reason="image_missing",
        detail="pocket: should be a whole number",
        event='{"pocket": "x"}',
        first_at=start,
        last_at=start,
        count=1,
        state="open",
    )
    with line.database.reading() as session:
        assert faults.search(session) == [fault]
        assert faults.search(session, state="dismissed") == []
        assert faults.search(session, state=None) == [fault]


def test_the_same_fault_again_is_counted(line, start) -> None:
    capture_id = uuid6.uuid7()
    for minute in (0, 2, 1):
        last = record(line, start + timedelta(minutes=minute), capture_id=capture_id, detail=f"try {minute}")
    assert (last.count, last.first_at, last.last_at) == (3, start, start + timedelta(minutes=2))
    assert last.detail == "try 1"
    record(line, start, capture_id=capture_id, reason="crashed")
    with line.database.reading() as session:
        assert sorted(each.count for each in faults.search(session)) == [1, 3]


def test_without_a_capture_the_event_tells_faults_apart(line, start) -> None:
    for text in ("a", "b", "a", "a" * 100_000, "a" * 100_000 + "b"):
        record(line, start, event=text)
    with line.database.reading() as session:
        assert sorted(each.count for each in faults.search(session)) == [1, 1, 1, 2]


def test_the_same_fault_by_many_at_once_is_one_row(line, start) -> None:
    together = Barrier(8)

    def once(number: int) -> int:
        together.wait(30)
        return record(line, start + timedelta(seconds=number)).count

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(once, range(8))) == list(range(1, 9))
    with line.database.reading() as session:
        [fault] = faults.search(session)
    assert fault.last_at == start + timedelta(seconds=7)


def test_whatever_came_can_be_kept(line, start) -> None:
    odd = "\x00\ud800\x1b[2J" + "x" * 100_000
    fault = record(line, start, station="s" * 200, pocket=2**60, detail=odd, event=odd, reason="r" * 100)
    assert len(fault.station or "") == 64
    assert fault.pocket is None
    assert len(fault.detail) <= MAX_DETAIL
    assert len(fault.event) <= MAX_EVENT
    assert fault.event.startswith("\\x00\\ud800")


def test_the_latest_comes_first(line, start) -> None:
    for minute in (1, 3, 2):
        record(line, start + timedelta(minutes=minute), event=str(minute))
    with line.database.reading() as session:
        assert [each.event for each in faults.search(session)] == ["3", "2", "1"]
        assert [each.event for each in faults.search(session, limit=1)] == ["3"]


def test_a_requeued_fault_has_all_attempts_before_it_and_is_closed_when_it_was_tried(line, start) -> None:
    capture = line.see()
    with line.database.transaction() as session:
        assert [attempts.count(session, capture.capture_id) for _ in range(3)] == [1, 2, 3]
    fault = record(line, start, capture_id=capture.capture_id)
    with line.database.transaction() as session:
        assert faults.requeue(session, fault.id).state == "requeued"
        assert attempts.count(session, capture.capture_id) == 1
        faults.close(session, fault.id)
    again = record(line, start, capture_id=capture.capture_id)
    with line.database.reading() as session:
        assert [each.id for each in faults.search(session, state="closed")] == [fault.id]
        assert [each.id for each in faults.search(session)] == [again.id]


def test_a_dismissed_fault_is_kept_and_its_successor_is_another(line, start) -> None:
    first = record(line, start)
    with line.database.transaction() as session:
        assert faults.dismiss(session, first.id).state == "dismissed"
    second = record(line, start)
    assert second.id != first.id
    with line.database.transaction() as session:
        with pytest.raises(ValueError, match="dismissed, not open"):
            faults.requeue(session, first.id)
        with pytest.raises(LookupError, match="no fault 999"):
            faults.dismiss(session, 999)


def test_a_check_whose_fault_is_dismissed_is_in_review_still(line, start) -> None:
    """Taken off the list, and nobody has seen the insert: neither go, nor waited for without an end."""
    judged = line.see(1, outcome="intact", check_size=2)
    unseen = line.see(2, check_id=judged.check_id, check_size=2)
    fault = record(line, start, capture_id=unseen.capture_id, check_id=judged.check_id, pocket=2)
    with line.database.transaction() as session:
        assert checks.find(session, judged.check_id).state == "review"
        faults.dismiss(session, fault.id)
    with line.database.reading() as session:
        check = checks.find(session, judged.check_id)
        assert (check.state, check.review) == ("review", (2,))
        assert [each.check_id for each in checks.recent(session, state="review")] == [judged.check_id]
        assert [each.check_id for each in checks.finished(session, [judged.check_id])] == [judged.check_id]


def test_many_faults_over_one_connection(database_url, start) -> None:
    """PostgreSQL plans a statement anew, for any parameters, after the tenth time or so on a connection."""
    database = Database(database_url, connections=1)
    for number in range(25):
        with database.transaction() as session:
            kept = faults.record(
                session,
                capture_id=None,
                station="st-1",
                check_id=None,
                pocket=None,
                reason="invalid_event",
                detail="",
                event=str(number % 24),
                at=start,
            )
    assert kept.count == 2
    database.close()
