"""What has changed since the last look, whatever order it is committed in."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import uuid6

from db.line import captures, verdicts
from db.queries import line_changes
from db.queries.line_changes import Marks
from tests.integration.db.conftest import Line

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
