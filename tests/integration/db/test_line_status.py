"""How the line stands, and that it is answered from indexes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db.line import faults
from db.queries.line_status import LOOK_BACK, WINDOW, current, faults_query, oldest_query, unsure_query
from producer.contract.names import IMPORTED
from tests.integration.conftest import on_one_engine
from worker.line.unknown_heads import UnknownHeadsWatch
from worker.monitoring.line_state import LineState

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
"""When the line's minutes count from."""


def stands(line, at=T0 + timedelta(days=1)):
    with line.database.reading() as session:
        return current(session, at)


def fault(line, capture, reason="image_missing", at=0):
    with line.database.transaction() as session:
        return faults.record(
            session,
            capture_id=capture.capture_id,
            station="st-1",
            check_id=capture.check_id,
            pocket=1,
            reason=reason,
            detail="…",
            event="{}",
            at=capture.captured_at + timedelta(minutes=at),
        )


def test_an_empty_line_has_nothing_to_say(line) -> None:
    found = stands(line)
    assert (found.oldest_waiting, found.open_faults, found.unsure, found.champion) == (None, {}, None, None)


def test_the_oldest_capture_that_waits_is_told_and_one_whose_end_is_a_fault_is_not(line, start) -> None:
    line.see(1, 0, "intact")
    failed = [line.see(pocket, pocket) for pocket in (1, 2, 3)]
    waiting = line.see(4, 10)
    line.see(5, 20)
    numbers = [fault(line, capture).id for capture in failed]
    with line.database.transaction() as session:
        faults.dismiss(session, numbers[0])
    assert stands(line).oldest_waiting == waiting.captured_at
    with line.database.transaction() as session:
        faults.requeue(session, numbers[1])
    assert stands(line).oldest_waiting == start + timedelta(minutes=2)
    assert stands(line, start + LOOK_BACK + timedelta(minutes=15)).oldest_waiting == start + timedelta(minutes=20)


def test_open_faults_are_counted_by_reason(line) -> None:
    captures = [line.see(pocket, pocket) for pocket in (1, 2, 3)]
    for capture in captures:
        fault(line, capture)
    fault(line, captures[0], "crashed")
    closed = fault(line, line.see(4, 4), "digest_mismatch")
    with line.database.transaction() as session:
        faults.dismiss(session, closed.id)
    assert stands(line).open_faults == {"crashed": 1, "image_missing": 3}


def test_the_share_of_unsure_ones_is_that_of_the_newest_judged_captures_of_the_line(line, monkeypatch) -> None:
    assert WINDOW == 1000
    monkeypatch.setattr("db.queries.line_status.WINDOW", 6)
    for minute in range(4):
        line.see(1, minute, "unsure")
    for minute, outcome in enumerate(("unsure", "intact", "damaged", "unusable"), 10):
        line.see(1, minute, outcome)
    line.see(1, 20)
    line.see(1, 21, "unsure", machine=IMPORTED)
    assert stands(line).unsure == 1 / 4


@on_one_engine
def test_what_names_no_known_head_is_in_the_heartbeat_of_a_worker(line, start) -> None:
    known, state = line.see(1, 0), LineState()
    for check_id, at in ((known.check_id, 0), (None, 0), (None, -5)):
        with line.database.transaction() as session:
            what = {"capture_id": None, "station": None, "pocket": None, "reason": "invalid_event", "detail": ""}
            moment = datetime.now(UTC) + timedelta(hours=at)
            faults.record(session, check_id=check_id, event=f"{check_id} {at}", at=moment, **what)
    UnknownHeadsWatch(line.database, state).turn()
    assert state.heartbeat().of_no_known_head == 1, "of the last hour"


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda: oldest_query(T0), "ix_captures_outcome_ordered_at_capture_id"),
        (faults_query, "ix_faults_state_last_at_id"),
        (unsure_query, "ix_captures_ordered_at_capture_id"),
    ],
)
def test_each_question_is_answered_from_an_index(line, query, index, engine_name) -> None:
    with line.database.reading() as session:
        statement = query().compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        if engine_name == "postgresql":
            # So few rows are read faster as they lie; what is asked here is whether an index can serve.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
            session.execute(text("SET LOCAL enable_bitmapscan = off"))
            plan = "\n".join(session.scalars(text(f"EXPLAIN {statement}")))
            assert "Seq Scan" not in plan, plan
        else:
            plan = "\n".join(row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
        assert index in plan, plan
