from datetime import timedelta

import pytest
from sqlalchemy import event

from db.engine.database import Database
from db.line import verdicts
from producer.contract.names import IMPORTED


@pytest.fixture
def some(line):
    """Captures by name; the later in the alphabet the newer, but for y and z, which are of the same moment."""
    return {
        "a": line.see(1, 0, "intact"),
        "b": line.see(2, 1, "damaged", machine="mill-2"),
        "c": line.see(3, 2, "unsure", head="head-2"),
        "d": line.see(1, 3, "damaged", operation="op-20", station="st-2"),
        "pending": line.see(1, 4),
        "y": line.see(4, 5, "intact"),
        "z": line.see(5, 5, "intact"),
    }


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "zydcba"),
        ({"machine": "mill-2"}, "b"),
        ({"head": "head-2"}, "c"),
        ({"pocket": 1}, "da"),
        ({"operation": "op-20"}, "d"),
        ({"station": "st-1"}, "zycba"),
        ({"outcome": "damaged"}, "db"),
        ({"outcome": "damaged", "machine": "mill-1"}, "d"),
        ({"machine": "mill-1", "head": "head-1", "pocket": 1}, "da"),
        ({"machine": None, "pocket": None}, "zydcba"),
        ({"machine": "nowhere"}, ""),
    ],
)
def test_filters(line, some, filters, expected) -> None:
    with line.database.reading() as session:
        found = [row.capture_id for row in verdicts.search(session, **filters)]
        assert found == [some[name].capture_id for name in expected]
        assert [row.capture_id for row in verdicts.export(session, **filters)] == found


@pytest.mark.parametrize("size", [1, 2, 6])
def test_page_by_page_as_all_at_once(line, some, size) -> None:
    found, after = [], None
    with line.database.reading() as session:
        while page := verdicts.search(session, limit=size, after=after):
            found += page
            after = (page[-1].ordered_at, page[-1].capture_id)
        assert found == verdicts.search(session)


def test_since_is_included_and_until_is_not(line, some, start) -> None:
    with line.database.reading() as session:
        found = verdicts.search(session, since=start + timedelta(minutes=1), until=start + timedelta(minutes=3))
    assert [row.capture_id for row in found] == [some["c"].capture_id, some["b"].capture_id]


def test_a_row_tells_the_capture_and_its_current_verdict(line, some) -> None:
    line.model("m-1")
    capture = some["d"]
    with line.database.transaction() as session:
        verdicts.record(
            session, line.verdict(capture.capture_id, "unusable", model_id="m-1", reason="too dark", probability=0.4)
        )
    with line.database.reading() as session:
        [row] = verdicts.search(session, operation="op-20")
    assert (row.machine, row.head, row.pocket, row.station) == ("mill-1", "head-1", 1, "st-2")
    assert (row.outcome, row.model_id, row.reason, row.seconds) == ("unusable", "m-1", "too dark", 0.5)
    assert (row.decision, row.probability) == (0.25, 0.4)
    assert row.captured_at == capture.captured_at
    assert row.check_id == capture.check_id
    assert row.image == capture.image


def test_an_export_is_read_as_it_is_asked_for(line, some) -> None:
    with line.database.reading() as session:
        rows = verdicts.export(session)
        assert next(rows).capture_id == some["z"].capture_id
        assert next(rows).capture_id == some["y"].capture_id


def test_imported_captures_are_there_for_who_asks_for_their_machine(line, some) -> None:
    imported = line.see(1, 6, "unsure", machine=IMPORTED, station="import")
    with line.database.reading() as session:
        assert [row.capture_id for row in verdicts.search(session, outcome="unsure")] == [some["c"].capture_id]
        assert imported.capture_id not in [row.capture_id for row in verdicts.export(session)]
        [row] = verdicts.search(session, machine=IMPORTED)
    assert row.capture_id == imported.capture_id


@pytest.mark.parametrize("filters", [{}, {"outcome": "damaged"}, {"machine": "mill-1"}])
def test_the_newest_come_out_of_an_index_and_nothing_is_sorted(sqlite_url, filters) -> None:
    database = Database(sqlite_url)
    with database.reading() as session:
        asked: list[tuple[str, object]] = []
        event.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        verdicts.search(session, **filters)
        [(statement, parameters)] = [each for each in asked if each[0].startswith("SELECT")]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    database.close()
    steps = [row[3] for row in plan]
    assert any("captures USING INDEX ix_captures" in step for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps
