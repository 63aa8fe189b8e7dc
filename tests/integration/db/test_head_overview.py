"""What a head shows at a glance, by its photographs and by what its checks miss."""

from __future__ import annotations

import uuid6

from db.line import captures, incomplete_checks, verdicts
from db.line.captures import Arrival
from db.queries import head_overview
from db.queries.head_overview import HeadOverview
from tests.integration.db.conftest import Line


def overview(line: Line) -> HeadOverview:
    with line.database.reading() as session:
        [known] = head_overview.overviews(session, [("mill-1", "head-1")])
    return known


def test_a_pocket_that_the_last_check_missed_does_not_show_what_it_was_before(line) -> None:
    for pocket, outcome in ((1, "intact"), (2, "intact"), (3, "damaged")):
        line.see(pocket, 0, outcome, check_size=3)
    assert overview(line).words == {1: "intact", 2: "intact", 3: "damaged"}
    after = uuid6.uuid7()
    line.see(1, 5, "intact", check_id=after, check_size=3)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    known = overview(line)
    assert known.words == {1: "intact", 2: "missing", 3: "damaged"}, "damage stays until the insert is changed"
    assert (known.answer.replace, known.answer.review) == ([3], [2])


def test_a_pocket_that_a_stand_in_came_of_does_not_show_what_it_was_before(line) -> None:
    for pocket, outcome in ((1, "intact"), (2, "intact"), (3, "damaged")):
        line.see(pocket, 0, outcome, check_size=3)
    after = uuid6.uuid7()
    line.see(1, 5, "intact", check_id=after, check_size=3)
    for pocket in (2, 3):
        stand_in = line.capture(pocket, 5, check_id=after, check_size=3)
        with line.database.transaction() as session:
            captures.arrive(session, [Arrival(stand_in, stand_in.captured_at, shows=False)])
            verdicts.record(session, line.verdict(stand_in.capture_id, "unusable"))
    known = overview(line)
    assert known.words == {1: "intact", 2: "missing", 3: "damaged"}, "damage stays until the insert is changed"
    assert (known.answer.state, known.answer.replace, known.answer.review) == ("replace", [3], [2])
    line.see(2, 10, "unusable", check_id=uuid6.uuid7(), check_size=1)
    assert overview(line).words[2] == "unusable", "a photograph that nobody can use is one"


def test_what_waits_for_its_verdict_is_no_go_by_another_photograph(line) -> None:
    for pocket in (1, 2):
        line.see(pocket, 0, check_size=2)
    line.see(1, 5, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert (overview(line).words, overview(line).answer.state) == ({1: "intact", 2: "pending"}, "pending")


def test_a_photograph_of_another_pocket_does_not_make_up_for_one_that_was_missed(line) -> None:
    line.see(1, 0, "intact", check_size=2)
    line.see(2, 0, "intact", check_size=2)
    after = uuid6.uuid7()
    line.see(1, 5, "intact", check_id=after, check_size=2)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    for minute in range(30, 38):
        line.see(1, minute, "intact", check_id=uuid6.uuid7(), check_size=1)
        assert (overview(line).answer.state, overview(line).answer.review) == ("review", [2])
    assert len(overview(line).operations) == 5
    line.see(2, 40, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert (overview(line).answer.state, overview(line).answer.review) == ("go", [])
