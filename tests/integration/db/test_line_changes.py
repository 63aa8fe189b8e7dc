"""What has changed since the last look, whatever order it is committed in."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import uuid6

from db.learning import model_registry
from db.line import captures, incomplete_checks, verdicts
from db.people import audit, audited_insert_changes
from db.queries import line_changes
from db.queries.line_changes import Marks
from tests.integration.db.conftest import T0, Line

PLACE = ("mill-1", "head-1")


def look(line: Line, since: Marks | None) -> Marks:
    with line.database.reading() as session:
        return line_changes.marks(session, since)


def test_a_verdict_that_is_committed_after_a_later_one_is_news(line: Line) -> None:
    """Its number is the lower one, and its photograph the older: nothing else tells of it."""
    if str(line.database.url).startswith("sqlite"):
        pytest.skip("its writers take turns, from the first write to the commit")
    line.see(1, outcome="intact")
    before = look(line, None)
    damaged = line.capture(2, 1, check_id=uuid6.uuid7())
    with ExitStack() as open_for_long:
        late = open_for_long.enter_context(line.database.transaction())
        captures.record(late, damaged, damaged.captured_at)
        verdicts.record(late, line.verdict(damaged.capture_id, "damaged"))
        line.see(3, 2, "intact", check_id=uuid6.uuid7())
        between = look(line, before)
        assert (between.judged, len(between.verdicts.missing)) == ({PLACE}, 1)
        assert look(line, between).judged == frozenset()
    after = look(line, between)
    assert (after.judged, after.verdicts.missing) == ({PLACE}, {})
    assert look(line, after).judged == frozenset()


def test_each_verdict_and_review_is_news_once(line: Line) -> None:
    seen = line.see(1, outcome="intact")
    first = look(line, None)
    assert first.judged == frozenset(), "what was there at the first look is on the page"
    line.see(2, outcome="damaged")
    second = look(line, first)
    line.say(seen, "worn")
    third = look(line, second)
    assert (second.judged, third.judged, look(line, third).judged) == ({PLACE}, {PLACE}, frozenset())


def test_a_check_that_began_long_ago_and_is_given_up_is_news_of_its_head(line: Line) -> None:
    line.see(1, outcome="intact", check_size=2)
    for number in range(1, 102):
        line.see(1, number, "intact", check_id=uuid6.uuid7(), check_size=1, head="head-2")
    before = look(line, None)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    after = look(line, before)
    assert {place for _, place in before.awaited.items() ^ after.awaited.items()} == {PLACE}


def test_what_may_concern_any_head_is_news_of_all(line: Line) -> None:
    line.see(1, outcome="intact")
    line.model("m-1")
    with line.database.transaction() as session:
        said, _ = audited_insert_changes.record(session, *PLACE, 1, by="ana", at=T0, first=None)
        for _ in range(51):
            audit.write(session, at=T0, by="ana", action="exported", subject="all")
    before = look(line, None)
    with line.database.transaction() as session:
        audited_insert_changes.withdraw(session, said.id, by="ana", at=T0)
    between = look(line, before)
    assert between.of_all - before.of_all
    assert not look(line, between).of_all - between.of_all
    with line.database.transaction() as session:
        model_registry.promote(session, "m-1", by="ana", reason="it is better", at=T0)
    assert look(line, between).of_all - between.of_all
