"""A plant's history in a real database, on both engines, read with what the product reads it with."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

import pytest
from sqlalchemy import func, select

import db.line.attempts
import db.line.captures
from benchmarks import history
from benchmarks.history import fill, seen
from benchmarks.records import MODEL
from db.engine import migrate
from db.engine.database import Database, SchemaOutdated
from db.learning import model_registry
from db.line import verdicts
from db.queries import replace_list
from db.schema.tables import Captures, Checks, Pockets, Verdicts
from tests.database_support import status_of
from tests.integration.db.test_migrations import _contents, structure

VERDICTS = 2_500


def test_what_was_written_is_read_as_the_product_would_have_written_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BLOCK", 700)  # so that checks lie across blocks
    told: list[int] = []
    coming = seen(1)
    fill(database.url, coming, VERDICTS, lambda written, _: told.append(written))
    assert told == [700, 1400, 2100, 2500]
    captures = list(islice(seen(1), VERDICTS + 1))
    assert next(coming) == captures.pop()

    with database.reading() as session:
        counted = [session.scalar(select(func.count()).select_from(table)) for table in (Captures, Verdicts, Checks)]
        assert counted == [VERDICTS, VERDICTS, len({each.check_id for each in captures})]
        places = {(each.machine, each.head, each.pocket): each for each in captures}
        pockets = session.scalars(select(Pockets)).all()
        assert {(each.machine, each.head, each.pocket): each.capture_id.hex for each in pockets} == {
            place: each.capture_id for place, each in places.items()
        }
        champion = model_registry.champion(session)
        assert champion is not None
        assert champion.model_id == MODEL

        for each in (captures[0], captures[1234]):
            capture_id = UUID(each.capture_id)
            capture = db.line.captures.find(session, capture_id)
            assert capture is not None
            assert capture.captured_at == datetime.fromisoformat(each.captured_at).replace(tzinfo=UTC)
            assert (capture.pocket, capture.edge, capture.region) == (each.pocket, each.edge, None)
            assert db.line.attempts.of(session, capture_id) == 1
            verdict = verdicts.current(session, capture_id)
            assert verdict is not None
            assert (verdict.outcome, verdict.decision, verdict.model_id) == (each.outcome, each.decision, MODEL)

        check = status_of(session, UUID(captures[0].check_id))
        assert check is not None
        of_check = [each for each in captures if each.check_id == captures[0].check_id]
        assert check.judged == check.size == len(of_check)
        assert check.replace == tuple(each.pocket for each in of_check if each.outcome == "damaged")
        damaged = {place for place, each in places.items() if each.outcome == "damaged"}
        assert {(row.machine, row.head, row.pocket) for row in replace_list.to_replace(session)} == damaged
        newest = verdicts.search(session, limit=1)[0]
        assert newest.capture_id.hex == captures[-1].capture_id


def test_quickly_written_is_the_same_rows_and_the_same_tables(
    database_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BLOCK", 700)
    migrate.upgrade(empty_database_url)
    fill(database_url, seen(1), 1_500)
    before = structure(database_url)
    fill(empty_database_url, seen(1), 1_500, quick=True)
    assert structure(empty_database_url) == before
    assert _contents(empty_database_url) == _contents(database_url)


def test_a_history_goes_into_an_empty_database_only(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    fill(sqlite_url, seen(1), 10)
    with pytest.raises(ValueError, match="empty"):
        fill(sqlite_url, seen(2), 10)
    assert history.main([sqlite_url, "--verdicts", "10"]) == 1
    assert capsys.readouterr().err == (
        "history: the database holds captures already: a history goes into an empty one\n"
    )


def test_tables_come_from_migrations_only(empty_sqlite_url: str) -> None:
    with pytest.raises(SchemaOutdated):
        fill(empty_sqlite_url, seen(1), 10)


def test_the_command_makes_migrates_and_fills_a_database(
    empty_sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert history.main([empty_sqlite_url, "--verdicts", "50", "--seed", "2"]) == 0
    assert capsys.readouterr().err.startswith("50 verdicts, ")
    filled = Database(empty_sqlite_url)
    with filled.reading() as session:
        assert verdicts.count(session) == 50
        assert db.line.captures.find(session, UUID(next(seen(2)).capture_id)) is not None
    filled.close()
