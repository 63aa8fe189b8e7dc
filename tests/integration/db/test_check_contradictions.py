"""Checks whose events disagree about size, head, operation or pictures: none is "go" without each of its pockets."""

from __future__ import annotations

import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
import uuid6
from sqlalchemy import select

from db.line import checks, incomplete_checks, verdicts
from db.line.captures import Arrival, arrive
from db.queries import head_overview, replace_list
from db.schema.tables import Checks
from producer.contract.names import IMPORTED
from producer.contract.vocabulary import STATES
from tests.database_support import status_of
from tests.support import next_of


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
    assert overview.operations[0].words == {1: "unsure", 2: "intact"}, "the other head's damage is not drawn here"


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


def test_a_photograph_of_both_pockets_stands_for_none_beside_a_region_of_it(line) -> None:
    line.see(1, 0, "intact", image_sha256=ONE)
    line.see(2, 1, "intact", image_sha256=ONE, region={"left": 0, "top": 0, "width": 100, "height": 100})
    assert told(line) == ("review", 2, 2, (), (1, 2))
    assert status(line).reason == "contradiction: one and the same photograph of pockets 1, 2"


def judged(line, pocket: int, minute: float, frame: int, outcome: str = "intact", **changes: object) -> None:
    """A photograph whose pixels were measured, and the look at its check that a worker has before it answers."""
    capture = line.see(pocket, minute, **changes)
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, outcome, frame=frame))
    with line.database.reading() as session:
        doubtful = checks.to_doubt(session, [capture.check_id])
    with line.database.transaction() as session:
        incomplete_checks.doubt(session, doubtful)


def test_one_picture_in_two_files_is_not_that_of_two_pockets(line) -> None:
    judged(line, 1, 0, frame=7)
    judged(line, 2, 1, frame=7)
    assert told(line) == ("review", 2, 2, (), (1, 2))
    assert status(line).reason == "contradiction: one and the same photograph of pockets 1, 2"
    judged(line, 2, 2, frame=8)
    assert told(line) == ("go", 2, 2, (), ()), "the newest photograph of a pocket counts"


@pytest.mark.parametrize(
    ("minutes", "operation", "words"),
    [(1, "op-9", "operation op-9"), (480, "op-10", "an earlier check"), (5, "op-10", "an earlier check")],
    ids=["operation", "run", "next run"],
)
def test_the_pixels_of_the_past_in_another_file_say_nothing_of_an_operation(line, minutes, operation, words) -> None:
    """As of a camera that hangs and writes what time it is, at a head with one pocket."""
    judged(line, 1, 0, frame=7, check_id=uuid6.uuid7(), check_size=1, operation=operation)
    judged(line, 1, minutes, frame=7, check_size=1)
    past = f"contradiction: the photograph of pocket 1 is that of {words} at 2026-11-22 10:00 UTC: photograph it anew"
    assert told(line) == ("review", 1, 1, (), (1,))
    assert status(line).reason == past
    judged(line, 1, minutes + 1, frame=8, check_size=1)
    assert told(line) == ("go", 1, 1, (), ())


def test_the_pixels_of_the_past_leave_a_damaged_insert_damaged(line) -> None:
    for minute, (frame, outcome) in enumerate(((7, "intact"), (8, "damaged"), (7, "intact"))):
        place = {"check_id": uuid6.uuid7(), "check_size": 1, "operation": f"op-{minute}"}
        judged(line, 1, minute, frame, outcome, **place)
    with line.database.reading() as session:
        assert [row.operation for row in replace_list.to_replace(session)] == ["op-1"]


def test_pixels_that_are_alike_twice_in_one_pocket_are_no_contradiction(line) -> None:
    for minute, (pocket, frame) in enumerate(((1, 7), (1, 7), (2, 8))):
        judged(line, pocket, minute, frame)
    assert told(line) == ("go", 2, 2, (), ())


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"operation": "op-9"}, "operation op-9"),
        ({"head": "head-2", "operation": "op-9"}, "operation op-9 on head head-2"),
        ({"machine": "mill-9"}, "operation op-10 on machine mill-9, head head-1"),
    ],
)
def test_a_photograph_of_the_past_says_nothing_of_an_operation(line, place, words) -> None:
    line.see(1, 0, "intact", check_id=uuid6.uuid7(), check_size=1, image_sha256=ONE, **place)
    line.see(1, 60, "intact", image_sha256=ONE)
    line.see(2, 61, "intact")
    assert told(line) == ("review", 2, 2, (), (1,))
    past = f"the photograph of pocket 1 is that of {words} at 2026-11-22 10:00 UTC: photograph it anew"
    assert status(line).reason == f"contradiction: {past}"
    line.see(1, 62, "intact")
    assert told(line) == ("go", 2, 2, (), ()), "the newest photograph of a pocket counts"


@pytest.mark.parametrize("ahead", [600, 38_000_000], ids=["10 h", "2099"])
def test_a_clock_that_was_set_right_makes_no_photograph_of_the_past_a_new_one(line, ahead) -> None:
    """Of a shop with one computer, whose worker says when a photograph came: the station's ids tell which was first."""
    of_first = {"capture_id": next_of(), "check_id": uuid6.uuid7(), "check_size": 1, "operation": "op-9"}
    first = line.see(1, ahead, "intact", image_sha256=ONE, **of_first)
    again = line.see(1, 0, "intact", image_sha256=ONE, capture_id=next_of(first.capture_id))
    line.see(2, 1, "intact", capture_id=next_of(again.capture_id))
    assert told(line) == ("review", 2, 2, (), (1,))
    assert "the photograph of pocket 1 is that of operation op-9 at" in str(status(line).reason)
    with line.database.reading() as session:
        assert status_of(session, first.check_id).state == "go", "it was the first"
        [overview] = head_overview.overviews(session, [("mill-1", "head-1")])
    assert overview.answer.state == "review"


def test_by_a_second_computer_with_the_station_s_name_a_photograph_of_the_past_is_no_new_one(line) -> None:
    """Its ids begin anew, by a clock that is five minutes behind: arrival tells which was first."""
    of_first = {"capture_id": next_of(), "check_id": uuid6.uuid7(), "check_size": 1, "operation": "op-9"}
    line.see(1, 0, "intact", image_sha256=ONE, **of_first)
    behind = next_of().int - (300_000 << 80)
    line.see(1, 2, "intact", image_sha256=ONE, capture_id=UUID(int=behind))
    line.see(2, 3, "intact")
    assert told(line) == ("review", 2, 2, (), (1,))


def test_a_whole_folder_of_the_past_is_said_in_one_sentence(line) -> None:
    for operation in ("op-9", "op-10"):
        line.check_id = uuid6.uuid7()
        for pocket in (1, 2):
            line.see(pocket, len(operation), "intact", operation=operation, image_sha256=f"{pocket}" * 64)
        assert told(line)[0] == ("go" if operation == "op-9" else "review")
    past = "the photograph of pockets 1, 2 is that of operation op-9 at 2026-11-22 10:04 UTC: photograph them anew"
    assert status(line).reason == f"contradiction: {past}"


def test_a_folder_is_checked_again_once_what_was_not_intact_has_a_new_photograph(line) -> None:
    for check_id, outcome in ((uuid6.uuid7(), "unsure"), (uuid6.uuid7(), "intact")):
        line.check_id = check_id
        line.see(1, 0, "intact", image_sha256=ONE)
        line.see(2, 1, outcome)
    assert told(line) == ("go", 2, 2, (), ())


@pytest.mark.parametrize(("others", "old"), [("new", (1,)), ("old", (1, 2, 3))])
def test_an_old_file_among_new_ones_is_one_that_the_camera_did_not_write(line, others, old) -> None:
    """A trigger that was missed, of a serial part: the next run of the operation begins within minutes."""
    for check_id, of in ((uuid6.uuid7(), "old"), (uuid6.uuid7(), others)):
        line.check_id = check_id
        for pocket in (2, 3, 1):
            digest = ONE if pocket == 1 else hashlib.sha256(f"{of} {pocket}".encode()).hexdigest()
            line.see(pocket, pocket, "intact", check_size=3, image_sha256=digest)
    assert told(line) == ("review", 3, 3, (), old)
    reason = status(line).reason
    assert reason is not None
    assert "an earlier check" in reason


def test_a_photograph_of_a_pocket_is_no_photograph_of_another_one_in_the_same_operation(line) -> None:
    before = uuid6.uuid7()
    for pocket in (1, 2):
        line.see(pocket, pocket, "intact", check_id=before, image_sha256=f"{pocket}" * 64)
    line.see(1, 10, "intact", image_sha256="2" * 64)
    line.see(2, 11, "intact", image_sha256="3" * 64)
    assert told(line) == ("review", 2, 2, (), (1,))
    past = "the photograph of pocket 1 is that of pocket 2 at 2026-11-22 10:02 UTC: photograph it anew"
    assert status(line).reason == f"contradiction: {past}"


def test_a_photograph_of_two_pockets_may_come_again_with_a_region_for_each(line) -> None:
    for check_id, outcome in ((uuid6.uuid7(), "damaged"), (uuid6.uuid7(), "intact")):
        line.check_id = check_id
        for pocket in (1, 2):
            region = {"left": 100 * pocket, "top": 0, "width": 90, "height": 90}
            line.see(pocket, pocket, "intact", check_size=3, image_sha256=ONE, region=region)
        line.see(3, 3, outcome, check_size=3)
    assert told(line) == ("go", 3, 3, (), ())


def test_an_old_photograph_is_none_of_a_later_run_of_the_operation(line) -> None:
    """A shift calls its operation as the one before did, and the camera wrote nothing since."""
    for minute in (0, 480):
        line.check_id = uuid6.uuid7()
        line.see(1, minute, "intact", image_sha256=ONE)
        line.see(2, minute, "intact")
    assert told(line) == ("review", 2, 2, (), (1,))
    past = "the photograph of pocket 1 is that of an earlier check at 2026-11-22 10:00 UTC: photograph it anew"
    assert status(line).reason == f"contradiction: {past}"
    line.see(1, 481, "intact")
    assert told(line) == ("go", 2, 2, (), ())


def test_a_second_run_with_the_id_of_the_first_is_no_go_before_all_was_seen_anew(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, pocket, "intact", check_size=3)
    assert told(line) == ("go", 3, 3, (), ())
    line.see(1, 40, "intact", check_size=3)
    assert told(line) == ("review", 3, 3, (), (2, 3))
    assert status(line).reason == (
        "contradiction: pocket 1 was photographed at 2026-11-22 10:01 UTC and, in another run, at 2026-11-22 "
        "10:40 UTC, pockets 2, 3 only before that: photograph them too, and give each run a check_id of its own"
    )
    line.see(2, 41, "intact", check_size=3)
    line.see(3, 42, "intact", check_size=3)
    assert told(line) == ("go", 3, 3, (), ())


def test_damage_of_the_past_is_told_all_the_same(line) -> None:
    line.see(1, 0, "damaged", operation="op-9", check_id=uuid6.uuid7(), image_sha256=ONE)
    line.see(1, 60, "damaged", image_sha256=ONE)
    line.see(2, 61, "intact")
    assert (told(line), status(line).replace) == (("replace", 2, 2, (), ()), (1,))


def test_what_was_learnt_from_may_be_shown_to_the_line(line) -> None:
    line.see(1, 0, machine=IMPORTED, check_id=uuid6.uuid7(), image_sha256=ONE)
    line.see(1, 60, "intact", image_sha256=ONE)
    line.see(2, 61, "intact")
    assert told(line) == ("go", 2, 2, (), ())


def test_what_two_workers_recorded_at_once_is_found_when_it_is_judged(line) -> None:
    line.see(1, 1, "intact", check_size=1, image_sha256=ONE)
    assert told(line) == ("go", 1, 1, (), ())
    line.see(1, 0, "intact", operation="op-9", check_id=uuid6.uuid7(), check_size=1, image_sha256=ONE)
    with line.database.reading() as session:
        assert checks.to_doubt(session, [line.check_id]) == [line.check_id]
    with line.database.transaction() as session:
        incomplete_checks.doubt(session, [line.check_id])
    assert told(line) == ("review", 1, 1, (), (1,))


def test_the_inserts_of_a_head_are_of_one_kind(line) -> None:
    kinds = ("SEKT 1204 AFTN", "SEKT1204-AFTN", "SNMU 1204 ANER", None)
    for pocket, kind in enumerate(kinds, 1):
        line.see(pocket, pocket, "intact", check_size=4, insert_designation=kind)
    assert told(line) == ("review", 4, 4, (), (3,))
    assert status(line).reason == "contradiction: inserts SEKT 1204 AFTN and SNMU 1204 ANER in one check"
    line.see(3, 5, "intact", check_size=4, insert_designation="SEKT1204AFTN")
    assert told(line) == ("go", 4, 4, (), ())


def test_one_designation_written_in_several_ways_is_one(line) -> None:
    for pocket, kind in enumerate(("SEKT 1204 AFTN", "SEKT1204AFTN", "SEKT1204-AFTN"), 1):
        line.see(pocket, pocket, "intact", check_size=3, insert_designation=kind)
    assert told(line) == ("go", 3, 3, (), ())
    with line.database.reading() as session:
        assert not session.scalar(select(Checks.given_up).where(Checks.check_id == line.check_id))
