"""A prepared statement gives what the same statement gives when SQLAlchemy executes it."""

import re

import pytest
import uuid6
from sqlalchemy import bindparam, event, exc, func, select, update

from db.engine.database import Database
from db.engine.prepared import Prepared, inserted
from db.line import captures, checks, incomplete_checks, verdicts
from db.schema.tables import Captures, Checks

IDS = bindparam("ids", expanding=True)
NAMES = ("check_id", "station", "machine", "head", "operation", "size", "started_at", "awaited")


def _check(line, number: int) -> dict:
    said = {"station": "st-1", "machine": "mill-1", "head": "head-1", "operation": f"op-{number}"}
    return said | {"check_id": uuid6.uuid7(), "size": number, "started_at": line.capture().captured_at, "awaited": True}


@pytest.mark.parametrize("count", [1, 2, 16])
def test_rows_are_inserted_at_once_and_come_back(line, count) -> None:
    new = Prepared(lambda dialect, rows: inserted(dialect, Checks, NAMES, rows).returning(Checks.check_id))
    rows = [_check(line, number) for number in range(1, count + 1)]
    with line.database.transaction() as session:
        found = new.execute(session.connection(), rows)
        assert {check_id for (check_id,) in found} == {row["check_id"] for row in rows}
        columns = [getattr(Checks, name) for name in NAMES]
        kept = session.execute(select(*columns).order_by(Checks.size))
        assert [dict(zip(NAMES, row, strict=True)) for row in kept] == rows


def test_every_type_goes_in_and_comes_out_as_sqlalchemy_has_it(line, start) -> None:
    plain = line.capture()
    full = line.capture(2, region={"left": 1, "top": 2, "width": 30, "height": 40}, edge=3)
    asked = select(Captures.__table__).where(Captures.capture_id.in_(IDS)).order_by(Captures.pocket)
    with line.database.transaction() as session:
        for capture in (plain, full):
            captures.record(session, capture, start)
        ids = [plain.capture_id, full.capture_id]
        expected = [tuple(row) for row in session.execute(asked, {"ids": ids})]
        assert len(expected) == 2
        assert Prepared(lambda *_: asked).execute(session.connection(), ids=ids) == expected


def test_lists_of_any_length_go_with_single_values_and_constants(line, start) -> None:
    seen = [line.see(pocket) for pocket in (1, 2, 3)]
    tried = Prepared(
        lambda *_: (
            update(Captures.__table__)
            .where(Captures.capture_id.in_(IDS), Captures.station.in_(("st-1", "st-2")))
            .values(attempts=Captures.attempts + 1, edge=bindparam("new_edge"))
            .returning(Captures.__table__.c.pocket, Captures.__table__.c.attempts, Captures.__table__.c.edge)
        )
    )
    with line.database.transaction() as session:
        connection = session.connection()
        ids = [capture.capture_id for capture in seen]
        assert tried.execute(connection, ids=ids[:1], new_edge=4) == [(1, 1, 4)]
        assert sorted(tried.execute(connection, ids=ids, new_edge=None)) == [(1, 2, None), (2, 1, None), (3, 1, None)]
        assert tried.execute(connection, ids=[], new_edge=5) == []


def test_a_statement_that_breaks_a_rule_raises_what_sqlalchemy_raises(line) -> None:
    new = Prepared(lambda dialect, rows: inserted(dialect, Checks, NAMES, rows))
    row = _check(line, 1)
    with line.database.transaction() as session:
        new.execute(session.connection(), [row])
    with pytest.raises(exc.IntegrityError), line.database.transaction() as session:
        new.execute(session.connection(), [_check(line, 2), row])
    with line.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Checks)) == 1


def test_who_listens_to_statements_hears_of_prepared_ones(line) -> None:
    heard: list[str] = []
    with line.database.reading() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *given: heard.append(given[2]))
        assert Prepared(lambda *_: select(Checks.check_id)).execute(session.connection()) == []
    assert len([statement for statement in heard if "checks" in statement]) == 1


def test_photographs_of_a_check_without_an_answer_arrive_by_seven_statements(line, start) -> None:
    """Three questions, three inserts, and whether the check waits for more."""
    heard: list[str] = []
    arrivals = [captures.Arrival(line.capture(pocket, check_size=3), start) for pocket in (1, 2)]
    with line.database.transaction() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *given: heard.append(given[2]))
        captures.arrive(session, arrivals)
    assert len(heard) == 7


def test_what_a_message_asks_leads_sqlite_to_its_own_captures(sqlite_url) -> None:
    """Without statistics it would rather read all of a head, or all open faults: more with every check."""
    database, ids = Database(sqlite_url), [uuid6.uuid7() for _ in range(8)]
    asked = (
        incomplete_checks._AWAIT,
        checks._ANSWERED,
        checks._CAPTURES_OF,
        checks._TROUBLES_OF,
        captures._KNOWN,
        verdicts._CLOSE_FAULTS,
        verdicts._CURRENT,
    )
    with database.transaction() as session:
        for each in asked:
            each.execute(session.connection(), ids=ids)
            made = each._statements["sqlite", 0, len(ids)]
            given = [None] * len(made.places)
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {made.text}", tuple(given)).all()
            tables = [step[-1] for step in plan if re.match(r"(SEARCH|SCAN) ", step[-1])]
            assert tables
            own = r"\((check_id|capture_id|image_sha256|frame)=\?|audit USING INDEX ix_audit_action_id"
            assert all(re.search(own, step) for step in tables), (made.text, tables)
    database.close()
