"""Checks whose events disagree about size, head, operation or pictures: none is "go" without each of its pockets."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import uuid6
from sqlalchemy import select

from db.line import checks, incomplete_checks
from db.line.captures import Arrival, arrive
from db.queries import head_overview
from db.schema.tables import Checks
from producer.contract.vocabulary import STATES
from tests.database_support import status_of


def status(line) -> checks.Check:
    """What the line's check is, which every way of asking must agree about."""
    with line.database.reading() as session:
        check = status_of(session, line.check_id)
        assert check is not None
        for state in STATES:
            assert (check in checks.recent(session, state=state)) == (check.state == state)
        assert checks.finished(session, [check.check_id]) == ([check] if check.state != "pending" else [])
        [overview] = head_overview.overviews(session, [(check.machine, check.head)])
        assert overview.operations[0].check == check
    return check


def told(line) -> tuple[object, ...]:
    check = status(line)
    return check.state, check.size, check.judged, check.missing, check.review


def give_up(line) -> None:
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))


@pytest.mark.parametrize(("first", "second"), [((2, 1), (3, 2)), ((3, 2), (2, 1)), ((2, 1), (3, 3)), ((3, 3), (2, 1))])
def test_the_largest_size_counts_whichever_comes_first(line, first, second) -> None:
    for minute, (size, pocket) in enumerate((first, second)):
        line.see(pocket, minute, "intact", check_size=size)
    [unseen] = {1, 2, 3} - {first[1], second[1]}
    assert told(line) == ("pending", 3, 2, (), ())
    give_up(line)
    assert told(line) == ("review", 3, 2, (unseen,), (unseen,))
    line.see(unseen, 3, "intact", check_size=3)
    assert told(line) == ("go", 3, 3, (), ())


def test_a_larger_size_is_kept_of_what_arrives_at_once_too(line, start) -> None:
    for sizes in itertools.permutations((1, 3, 2)):
        line.check_id = uuid6.uuid7()
        arrivals = [Arrival(line.capture(1, size, check_size=size), start) for size in sizes]
        with line.database.transaction() as session:
            arrive(session, arrivals)
        assert status(line).size == 3


def test_a_check_that_had_all_is_waited_for_again_when_it_turns_out_larger(line) -> None:
    line.see(1, 0, "intact")
    line.see(2, 1, "intact")
    assert told(line) == ("go", 2, 2, (), ())
    line.see(3, 2, "intact", check_size=4)
    assert told(line) == ("pending", 4, 3, (), ())
    with line.database.reading() as session:
        assert list(incomplete_checks.awaited(session)) == [line.check_id]


def test_two_workers_that_record_the_first_two_events_at_once_keep_the_larger_size(line) -> None:
    both = Barrier(2)

    def bring(pocket: int) -> None:
        capture = line.capture(pocket, pocket, check_size=pocket + 1)
        both.wait(30)
        line.see(pocket, pocket, "intact", capture_id=capture.capture_id, check_size=pocket + 1)

    for _ in range(8):
        line.check_id = uuid6.uuid7()
        with ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(bring, pocket) for pocket in (1, 2)]:
                each.result()
        assert told(line) == ("pending", 3, 2, (), ())
        with line.database.reading() as session:
            assert session.scalar(select(Checks.awaited).where(Checks.check_id == line.check_id)) is True


def test_a_pocket_above_the_size_makes_it_review(line) -> None:
    line.see(1, 0, "intact")
    line.see(3, 1, "intact")
    assert told(line) == ("review", 2, 1, (2,), (2, 3)), "as many came as it has: none is waited for"
    assert status(line).reason == "contradiction: pocket 3 of a check of 2"
    line.see(2, 2, "intact")
    assert told(line) == ("review", 2, 2, (), (3,))
    line.see(3, 3, "intact", check_size=3)
    assert told(line) == ("go", 3, 3, (), ()), "the size was wrong"


def test_one_insert_by_itself_may_be_of_any_pocket_and_two_are_not_one(line) -> None:
    line.see(7, 0, "intact", check_size=1)
    assert told(line) == ("go", 1, 1, (), ())
    line.see(8, 1, "intact", check_size=1)
    assert told(line) == ("review", 1, 0, (1,), (1, 7, 8))


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ({"head": "head-2"}, "head head-2"),
        ({"machine": "mill-9"}, "machine mill-9, head head-1"),
        ({"operation": "op-20"}, "operation op-20"),
    ],
)
def test_a_photograph_of_another_head_or_operation_stands_for_no_pocket_of_the_check(line, place, name) -> None:
    line.see(1, 0, "intact")
    line.see(2, 1, "intact", **place)
    assert told(line) == ("pending", 2, 1, (), (2,))
    give_up(line)
    assert told(line) == ("review", 2, 1, (2,), (2,))
    line.see(2, 2, "intact")
    assert told(line) == ("review", 2, 2, (), (2,))
    assert status(line).reason == f"contradiction: pocket 2 of {name}"


def test_one_that_was_go_is_review_when_a_photograph_of_another_head_comes(line) -> None:
    line.see(1, 0, "intact")
    line.see(2, 1, "intact")
    line.see(1, 2, "damaged", head="head-2")
    assert told(line) == ("review", 2, 2, (), (1,))
    with line.database.reading() as session:
        [overview] = head_overview.overviews(session, [("mill-1", "head-1")])
    assert overview.operations[0].words == {1: "intact", 2: "intact"}, "the other head's damage is not drawn here"


ONE = "cd" * 32


def test_one_photograph_is_not_that_of_two_pockets_whichever_station_says_so(line) -> None:
    line.see(1, 0, "intact", image_sha256=ONE)
    line.see(2, 1, "intact", image_sha256=ONE)
    assert told(line) == ("review", 2, 2, (), (1, 2))
    assert status(line).reason == "contradiction: one and the same photograph of pockets 1, 2"
    line.see(2, 2, "intact")
    assert told(line) == ("go", 2, 2, (), ()), "the newest photograph of a pocket counts"
    line.see(2, 3, "intact", image_sha256=ONE)
    assert told(line) == ("review", 2, 2, (), (1, 2))


def test_one_photograph_may_show_two_pockets_in_a_region_each(line) -> None:
    left, right = ({"left": left, "top": 0, "width": 100, "height": 100} for left in (0, 100))
    line.see(1, 0, "intact", image_sha256=ONE, region=left)
    line.see(2, 1, "intact", image_sha256=ONE, region=right)
    assert told(line) == ("go", 2, 2, (), ())
    line.see(2, 2, "intact", image_sha256=ONE, region=left)
    assert told(line) == ("review", 2, 2, (), (1, 2))


def test_of_what_is_unusable_twice_nothing_more_is_said(line) -> None:
    for pocket in (1, 2):
        line.see(pocket, pocket, "unusable", image_sha256=ONE)
    assert (told(line), status(line).reason) == (("review", 2, 2, (), (1, 2)), None)
