"""What a head shows at a glance, by its photographs and by what its checks miss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import uuid6

from db.line import captures, captures_ahead, checks, faults, incomplete_checks, insert_changes, verdicts
from db.line.captures import Arrival, Capture
from db.queries import head_overview, replace_list
from db.queries.head_answer import HeadOverview
from tests.integration.db.conftest import T0, Line
from tests.support import next_of


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
        stand_in(line, pocket, 5, check_id=after, check_size=3)
    known = overview(line)
    assert known.words == {1: "intact", 2: "missing", 3: "damaged"}, "damage stays until the insert is changed"
    assert (known.answer.state, known.answer.replace, known.answer.review) == ("replace", [3], [2])
    line.see(2, 10, "unusable", check_id=uuid6.uuid7(), check_size=1)
    assert overview(line).words[2] == "unusable", "a photograph that nobody can use is one"


def test_a_stand_in_that_lies_in_the_check_of_another_head_hides_what_its_pocket_was_before(line) -> None:
    both = [("mill-1", "head-1"), ("mill-1", "head-2")]
    for _, head in both:
        check = uuid6.uuid7()
        for pocket in (1, 2):
            line.see(pocket, 0, "intact", head=head, check_id=check, check_size=2)
    mistyped = uuid6.uuid7()
    line.see(1, 5, "intact", check_id=mistyped, check_size=2)
    stand_in(line, 2, 5, check_id=mistyped, check_size=2, head="head-2")
    with line.database.reading() as session:
        for places in (both, both[1:]):
            known = head_overview.overviews(session, places)[-1]
            assert known.words == {1: "intact", 2: "missing"}
            assert known.answer is not None
            assert (known.answer.state, known.answer.review) == ("review", [2])


def stand_in(line: Line, pocket: int, minute: float, **changes: object) -> Capture:
    """What a station hands in where its newest photograph of a pocket is none."""
    capture = line.capture(pocket, minute, **changes)
    with line.database.transaction() as session:
        captures.arrive(session, [Arrival(capture, capture.captured_at, shows=False)])
        verdicts.record(session, line.verdict(capture.capture_id, "unusable"))
    return capture


def test_a_stand_in_is_not_forgotten_whatever_others_came_by_themselves(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_size=3)
    retaken = uuid6.uuid7()
    line.see(2, 10, "intact", check_id=retaken, check_size=1)
    stand_in(line, 2, 11, check_id=retaken, check_size=1)
    assert gone_on(line) == ("review", [], [2]), "the last one that came of it is none"
    line.see(2, 50, "intact", check_id=uuid6.uuid7(), check_size=1)
    last = stand_in(line, 3, 51, check_id=uuid6.uuid7(), check_size=1)
    for minute in range(52, 58):
        line.see(1, minute, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("review", [], [3])
    assert answered(line, fresh_since=last.captured_at) == ("review", [], [3])
    line.see(3, 59, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("go", [], [])


def test_a_stand_in_that_came_for_an_earlier_run_is_not_forgotten_when_the_later_one_goes_on(line) -> None:
    for pocket in (1, 2):
        line.see(pocket, 0, "intact", check_size=2)
    later = uuid6.uuid7()
    for pocket in (1, 2, 3):
        line.see(pocket, 5, "intact", check_id=later, check_size=3)
    assert answered(line) == ("go", [], [])
    stand_in(line, 2, 5.5, check_size=2)
    line.see(1, 6, "intact", check_id=later, check_size=3)
    assert answered(line) == ("review", [], [2])
    line.see(2, 6.5, "intact", check_id=later, check_size=3)
    assert answered(line) == ("go", [], [])


def test_a_stand_in_is_not_forgotten_however_many_cannot_be_used_elsewhere(line) -> None:
    """Of another pocket, or in a head of another machine that has the same name."""
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_size=3)
    stand_in(line, 3, 5, check_id=uuid6.uuid7(), check_size=1)
    others = [
        line.capture(2, 6 + number / 100, machine=machine, check_id=uuid6.uuid7(), check_size=1)
        for machine in ("mill-1", "mill-2")
        for number in range(51)
    ]
    with line.database.transaction() as session:
        captures.arrive(session, [Arrival(other, other.captured_at, shows=False) for other in others])
        verdicts.record_all(session, [line.verdict(other.capture_id, "unusable") for other in others])
    line.see(2, 20, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert gone_on(line) == ("review", [], [3])


def test_what_waits_for_its_verdict_and_is_doubted_has_no_fault(line) -> None:
    for pocket in (1, 2):
        line.see(pocket, 0, check_size=2, image_sha256="cd" * 32)
    known = overview(line)
    assert (known.words, known.answer.state) == ({1: "pending", 2: "pending"}, "pending")


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


def answered(line: Line, **how: object) -> tuple[str, list[int], list[int]]:
    with line.database.reading() as session:
        [known] = head_overview.overviews(session, [("mill-1", "head-1")], **how)
    return known.answer.state, list(known.answer.replace), list(known.answer.review)


def test_checks_of_a_few_pockets_do_not_make_up_for_one_that_was_missed(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_size=4)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    for minute in range(5, 12):
        of_two = uuid6.uuid7()
        for pocket in (1, 2):
            line.see(pocket, minute, "intact", check_id=of_two, check_size=2)
        assert answered(line) == ("review", [], [4])


def gone_on(line: Line) -> tuple[str, list[int], list[int]]:
    """What the head comes to after photographs of its first pocket by itself, more than its last operations shown."""
    for minute in range(30, 36):
        line.see(1, minute, "intact", check_id=uuid6.uuid7(), check_size=1)
    return answered(line)


def test_what_a_check_of_fewer_pockets_left_open_is_not_forgotten(line) -> None:
    for pocket in range(1, 5):
        line.see(pocket, 0, "intact", check_size=4)
    under_way = uuid6.uuid7()
    for pocket in (1, 2):
        line.see(pocket, 5, "intact", check_id=under_way, check_size=3)
    assert gone_on(line) == ("pending", [], [])
    assert overview(line).awaited == {3}
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    assert answered(line) == ("review", [], [3])
    line.see(3, 40, "intact", check_id=uuid6.uuid7(), check_size=1)
    for minute in range(41, 48):
        line.see(1, minute, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("go", [], []), "nor what made up for it"


def test_a_photograph_that_is_not_believed_stays_so_whatever_others_came_by_themselves(line) -> None:
    shown = [line.see(pocket, 0, "intact", check_size=4) for pocket in range(1, 5)]
    again = {"image_sha256": shown[2].image_sha256, "operation": "op-2"}
    line.see(3, 25, "intact", check_id=uuid6.uuid7(), check_size=1, **again)
    with line.database.transaction() as session:
        incomplete_checks.doubt(session, checks.to_doubt(session, [overview(line).operations[0].check.check_id]))
    assert gone_on(line) == ("review", [], [3])


def test_a_photograph_that_came_in_a_check_of_another_head_is_not_believed(line) -> None:
    for head, outcome in (("head-1", "intact"), ("head-2", "damaged")):
        check_id = uuid6.uuid7()
        for pocket in (1, 2):
            line.see(pocket, 0, outcome if pocket == 2 else "intact", check_size=2, check_id=check_id, head=head)
    mixed = uuid6.uuid7()
    line.see(1, 5, "intact", check_size=2, check_id=mixed, head="head-2")
    line.see(2, 5, "intact", check_size=2, check_id=mixed)
    assert answered(line) == ("review", [], [2])
    mixed = uuid6.uuid7()
    line.see(1, 9, "intact", check_size=2, check_id=mixed)
    line.see(2, 9, "intact", check_size=2, check_id=mixed, head="head-2")
    with line.database.reading() as session:
        [of_two] = head_overview.overviews(session, [("mill-1", "head-2")])
        assert [(row.head, row.pocket) for row in replace_list.to_replace(session)] == [("head-2", 2)]
    assert (of_two.words[2], of_two.answer.replace) == ("damaged", [2])


def test_a_photograph_that_is_not_believed_hides_no_damage(line) -> None:
    def to_replace() -> list[int]:
        with line.database.reading() as session:
            return [row.pocket for row in replace_list.to_replace(session)]

    first = [line.see(pocket, 0, "intact", check_size=3, operation="op-1") for pocket in (1, 2, 3)]
    for minute, outcome in ((20, "damaged"), (40, "intact")):
        check_id = uuid6.uuid7()
        of_before = {"image_sha256": first[2].image_sha256} if outcome == "intact" else {}
        line.see(3, minute, outcome, check_size=3, check_id=check_id, operation=f"op-{minute}", **of_before)
        assert to_replace() == [3]
    assert answered(line)[1] == [3]
    line.see(3, 50, "intact", check_id=uuid6.uuid7(), check_size=1, operation="op-50")
    assert to_replace() == []
    # One photograph for two pockets, of which the damaged one came first.
    line.see(2, 60, "damaged", check_id=uuid6.uuid7(), check_size=1, operation="op-60")
    shared = {"check_id": uuid6.uuid7(), "check_size": 2, "operation": "op-70", "image_sha256": "ef" * 32}
    for pocket in (2, 1):
        line.see(pocket, 70, "intact", **shared)
    assert to_replace() == [2]


@pytest.mark.parametrize("kind", ["pixels", "operation", "beyond", "unsure", "designation"])
def test_no_kind_of_doubt_hides_damage(line, kind) -> None:
    first = {pocket: line.see(pocket, 0, "intact", check_size=4, operation="op-1") for pocket in (1, 2, 3, 4)}
    line.see(4, 20, "damaged", check_id=uuid6.uuid7(), check_size=1, operation="op-2")
    of_check = {"check_id": uuid6.uuid7(), "check_size": 3 if kind == "beyond" else 4, "operation": "op-3"}
    for pocket in (1, 2, 3, 4):
        changes = dict(of_check)
        if pocket == 4 and kind == "operation":
            changes["operation"] = "op-2"
        if kind == "designation":
            changes["insert_designation"] = "xo mx 120" if pocket == 4 else "SEKT 1204"
        if pocket == 4 and kind == "unsure":
            changes["image_sha256"] = first[4].image_sha256
        seen = line.see(pocket, 40, **changes)
        frame = 7 if kind == "pixels" and pocket > 2 else pocket
        outcome = "unsure" if kind == "unsure" and pocket == 4 else "intact"
        with line.database.transaction() as session:
            verdicts.record(session, line.verdict(seen.capture_id, outcome, frame=frame))
    with line.database.reading() as session:
        assert [row.pocket for row in replace_list.to_replace(session)] == [4]
    assert answered(line)[1] == [4]


def test_pixels_of_two_pockets_hide_no_damage_of_the_one_that_came_first(line) -> None:
    line.see(1, 20, "damaged", check_id=uuid6.uuid7(), check_size=1)
    check = {"check_id": uuid6.uuid7(), "check_size": 2, "operation": "op-3"}
    for pocket in (1, 2):
        seen = line.see(pocket, 40, **check)
        with line.database.transaction() as session:
            verdicts.record(session, line.verdict(seen.capture_id, "intact", frame=7))
    with line.database.reading() as session:
        assert [row.pocket for row in replace_list.to_replace(session)] == [1]


def test_known_damage_is_on_the_board_until_the_newer_photograph_is_judged(line) -> None:
    line.see(1, 0, "damaged", check_size=2)
    line.see(2, 0, "intact", check_size=2)
    waits = line.see(1, 5, check_id=uuid6.uuid7(), check_size=1)
    assert (answered(line), overview(line).words[1]) == (("pending", [1], []), "damaged")
    line.see(2, 9, "intact", check_id=uuid6.uuid7(), check_size=2)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    assert answered(line) == ("replace", [1], [])
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(waits.capture_id, "intact"))
    assert answered(line) == ("review", [], [1])


@pytest.mark.parametrize("others", [(2,), (2, 3), (2, 3, 4)])
def test_of_two_kinds_of_insert_in_a_check_the_fewer_hide_no_damage(line, others) -> None:
    """Whichever came first: here those that are the fewer in the end, and the others at once."""
    line.see(1, 20, "damaged", check_id=uuid6.uuid7(), check_size=1)
    check = {"check_id": uuid6.uuid7(), "check_size": 4, "operation": "op-3"}
    line.see(1, 40, "intact", insert_designation="XOMX 12", **check)

    def to_replace() -> list[int]:
        with line.database.reading() as session:
            return [row.pocket for row in replace_list.to_replace(session)]

    assert to_replace() == []
    seen = [line.see(pocket, 41, insert_designation="SEKT", **check) for pocket in others]
    with line.database.transaction() as session:
        verdicts.record_all(session, [line.verdict(of.capture_id, "intact") for of in seen])
    assert to_replace() == [1]
    line.see(1, 42, "intact", insert_designation="s e-kt", **check)
    assert to_replace() == []


def test_a_clock_that_is_behind_makes_no_check_older_than_the_one_before(line) -> None:
    for pocket in (1, 2, 3, 4):
        line.see(pocket, 60, "intact", check_size=4)
    under_way = uuid6.uuid7()
    for pocket in (1, 2, 5):
        said = line.capture(pocket, 30, check_id=under_way, check_size=5, operation="op-2", station="station-9")
        with line.database.transaction() as session:
            captures.record(session, said, said.captured_at + timedelta(minutes=40))
            verdicts.record(session, line.verdict(said.capture_id, "intact"))
    assert (answered(line), overview(line).awaited) == (("pending", [], []), {3, 4})
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    assert answered(line) == ("review", [], [3, 4])


def test_a_pocket_that_a_check_missed_is_not_seen_by_the_photograph_before_it_of_a_clock_ahead(line) -> None:
    def see(pocket: int, minute: float, behind: float = 0, **how: object) -> None:
        said = line.capture(pocket, minute - behind, **how)
        with line.database.transaction() as session:
            captures.record(session, said, said.captured_at + timedelta(minutes=behind))
            verdicts.record(session, line.verdict(said.capture_id, "intact"))

    tablet = {"station": "station-9", "behind": 2, "check_size": 3}
    for pocket in (1, 2, 3):
        see(pocket, pocket / 10, check_id=line.check_id, operation="op-2", **tablet)
    see(2, 18.7, check_id=uuid6.uuid7(), check_size=1, operation="op-3")
    after = uuid6.uuid7()
    for pocket in (1, 3):
        see(pocket, 19.8 + pocket / 10, check_id=after, operation="op-4", **tablet)
    assert answered(line)[0] == "pending"
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    assert answered(line) == ("review", [], [2])
    assert gone_on(line) == ("review", [], [2])
    see(2, 50, check_id=uuid6.uuid7(), check_size=1, operation="op-5")
    assert answered(line) == ("go", [], [])


def test_a_clock_that_is_a_little_behind_makes_no_check_older_either(line) -> None:
    line.see(1, 60, "intact", check_id=uuid6.uuid7(), check_size=1)
    said = line.capture(2, 58, check_size=2, operation="op-2", station="station-9")
    with line.database.transaction() as session:
        captures.record(session, said, said.captured_at + timedelta(minutes=3))
        verdicts.record(session, line.verdict(said.capture_id, "intact"))
    assert (answered(line), overview(line).awaited) == (("pending", [], []), {1})


def test_what_a_clock_placed_ahead_is_not_of_now(line) -> None:
    ahead = line.see(1, 90, "intact", check_id=uuid6.uuid7(), check_size=1)
    moment = ahead.captured_at
    how = {"fresh_since": moment - timedelta(hours=2)}
    for now, old in ((moment, []), (moment - timedelta(minutes=80), [1])):
        with line.database.reading() as session:
            [known] = head_overview.overviews(session, [("mill-1", "head-1")], now=now, **how)
        assert sorted(known.old) == old


def test_what_a_clock_placed_ahead_is_not_of_now_either_when_that_time_has_come(line) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=90)
    by_itself = {"check_size": 1, "machine": "mill-1", "head": "head-1"}
    photo = line.see(1, outcome="intact", captured_at=moment, check_id=uuid6.uuid7(), **by_itself)
    line.see(2, outcome="intact", captured_at=moment - timedelta(minutes=91), check_id=uuid6.uuid7(), **by_itself)

    def unnoted() -> list[UUID]:
        with line.database.reading() as session:
            return captures_ahead.unnoted(session)

    def old_at(now: datetime) -> list[int]:
        with line.database.reading() as session:
            how = {"fresh_since": moment - timedelta(hours=2), "now": now}
            [known] = head_overview.overviews(session, [("mill-1", "head-1")], **how)
        return sorted(known.old)

    assert (unnoted(), old_at(moment - timedelta(minutes=80)), old_at(moment)) == ([photo.capture_id], [1], [])
    for _ in range(2):
        captures_ahead.note(line.database, [photo.capture_id])
    assert (unnoted(), old_at(moment)) == ([], [1])
    line.see(1, outcome="intact", captured_at=moment + timedelta(minutes=1), check_id=uuid6.uuid7(), **by_itself)
    assert old_at(moment + timedelta(minutes=2)) == []


def test_a_pocket_that_waits_is_not_awaited_when_another_photograph_of_it_came(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_size=3)
    line.see(3, 5, check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("pending", [], [])
    line.see(3, 6, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("go", [], [])


@pytest.mark.parametrize(
    ("photographed", "after"), [((1, 2, 4), ("review", [], [3])), ((1, 2), ("go", [], []))], ids=["one beyond", "none"]
)
def test_a_register_that_is_behind_the_stations_hides_nothing_that_a_check_missed(line, photographed, after) -> None:
    """If no pocket beyond the register was photographed, the check was of too many."""
    for pocket in photographed:
        line.see(pocket, 0, "intact", check_size=4)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    register = {"declared": {"head-1": 2}}
    line.see(1, 5, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line, **register) == ("review", [], [of for of in (3, 4) if of not in photographed])
    of_two = uuid6.uuid7()
    for pocket in (1, 2):
        line.see(pocket, 9, "intact", check_id=of_two, check_size=2)
    assert answered(line, **register) == after
    assert answered(line, fresh_since=T0 + timedelta(minutes=1), **register) == ("go", [], []), "it was long ago"


def test_a_check_of_a_few_pockets_says_nothing_of_a_register_that_is_behind(line) -> None:
    for pocket in (1, 2, 3, 5):
        line.see(pocket, 0, "intact", check_size=5)
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    retaken = uuid6.uuid7()
    for pocket in (1, 2):
        line.see(pocket, 5, "intact", check_id=retaken, check_size=2)
    assert answered(line, declared={"head-1": 3}) == ("review", [], [4])
    line.see(4, 9, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line, declared={"head-1": 3}) == ("go", [], [])


def test_a_fault_of_a_photograph_by_itself_is_to_be_looked_at_whatever_others_came(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_size=3)
    fail(line, line.see(3, 5, check_id=uuid6.uuid7(), check_size=1))
    assert gone_on(line) == ("review", [], [3])


def test_a_fault_that_came_for_an_earlier_run_is_to_be_looked_at_when_the_later_one_goes_on(line) -> None:
    """The later run has an older photograph of the pocket, and is newer by all that it has."""
    later = uuid6.uuid7()
    for minute, check_id in ((0, line.check_id), (5, later)):
        for pocket in (1, 2):
            line.see(pocket, minute, "intact", check_id=check_id)
    fail(line, line.see(2, 6))
    line.see(1, 7, "intact", check_id=later)
    assert overview(line).words == {1: "intact", 2: "fault"}
    assert answered(line) == ("review", [], [2])


def fail(line: Line, capture: Capture) -> None:
    """It cannot be judged."""
    of_it = {name: getattr(capture, name) for name in ("capture_id", "station", "check_id", "pocket")}
    with line.database.transaction() as session:
        faults.record(session, reason="image_missing", detail="", event="{}", at=T0, **of_it)


def test_a_pocket_that_there_is_not_is_put_right_by_the_register(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_size=3)
    mistyped = line.see(33, 5, "unsure", check_id=uuid6.uuid7(), check_size=1)
    register = {"declared": {"head-1": 3}, "fresh_since": T0 + timedelta(minutes=-1)}
    assert answered(line, **register) == ("review", [], [33]), "somebody has to look what that shows"
    line.say(mistyped, "intact")
    assert answered(line, **register) == ("go", [], [])
    with line.database.reading() as session:
        for how, pockets in ((register, 3), ({}, 33)):
            [known] = head_overview.overviews(session, [("mill-1", "head-1")], **how)
            assert (known.size, max(known.words)) == (pockets, pockets)


def test_pockets_above_the_largest_check_are_too_old_as_others_are(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_id=uuid6.uuid7(), check_size=1)
    now = uuid6.uuid7()
    newest = [line.see(pocket, 90, "intact", check_id=now, check_size=2) for pocket in (1, 2)]
    with line.database.reading() as session:
        [known] = head_overview.overviews(session, [("mill-1", "head-1")], fresh_since=newest[0].captured_at)
    assert known.old == {3}


def test_a_pocket_that_was_never_photographed_is_no_go(line) -> None:
    for pocket in (1, 2, 4):
        line.see(pocket, 0, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("review", [], [3])
    assert answered(line, declared={"head-1": 2}) == ("go", [], [])
    assert answered(line, declared={"head-1": 5}) == ("review", [], [3, 5])


def test_pockets_that_are_still_awaited_are_not_missed(line) -> None:
    line.see(1, 0, "intact", check_size=3)
    assert (overview(line).words, overview(line).size, overview(line).answer.state) == ({1: "intact"}, 3, "pending")


def test_damage_counts_also_where_the_check_that_began_last_says_otherwise(line) -> None:
    line.see(1, 0, "intact", check_size=2)
    line.see(2, 1, "intact", check_size=2)

    line.see(1, 5, "intact", check_id=uuid6.uuid7(), check_size=2)

    line.see(2, 9, "damaged")  # of the first check, which began before
    assert answered(line)[1] == [2]


def test_what_a_check_does_not_believe_is_no_go_by_a_photograph_of_another_pocket(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", image_sha256="cd" * 32 if pocket > 1 else "ef" * 32, check_size=3)
    assert answered(line) == ("review", [], [2, 3])
    line.see(1, 5, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("review", [], [2, 3])
    assert overview(line).words == {1: "intact", 2: "unsure", 3: "unsure"}
    for pocket in (2, 3):
        line.see(pocket, 6, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("go", [], [])


def test_pockets_that_were_photographed_long_ago_are_known_beside_those_of_now(line) -> None:
    for pocket in (1, 2, 9):
        line.see(pocket, 0, "intact", check_id=uuid6.uuid7(), check_size=1)
    newest = line.see(1, 90, "intact", check_id=uuid6.uuid7(), check_size=2)
    line.see(2, 91, "intact", check_id=newest.check_id, check_size=2)
    with line.database.reading() as session:
        [known] = head_overview.overviews(
            session, [("mill-1", "head-1")], declared={"head-1": 3}, fresh_since=newest.captured_at
        )
    assert known.old == frozenset(), "what was photographed beyond the head's pockets is nobody's to photograph again"
    assert known.fresh_at == newest.captured_at
    with line.database.reading() as session:
        [known] = head_overview.overviews(
            session, [("mill-1", "head-1")], declared={"head-1": 3}, fresh_since=known.last_at
        )
    assert known.old == {1}


def test_a_head_of_which_a_check_is_under_way_waits(line) -> None:
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "intact", check_size=3)
    under_way = uuid6.uuid7()
    line.see(1, 5, "intact", check_id=under_way, check_size=3)
    line.see(1, 6, "intact", check_id=uuid6.uuid7(), check_size=1)
    assert answered(line) == ("pending", [], [])
    for pocket in (2, 3):
        line.see(pocket, 7, "intact", check_id=under_way, check_size=3)
    assert answered(line) == ("go", [], [])


def test_a_clock_that_was_set_right_hides_no_check(line) -> None:
    """Of a shop's one computer: what its station and its worker say is hours before the check of before."""
    last = None
    for minute, operation, pockets in ((600, "op-1", (1, 2, 3)), (1, "op-2", (1, 2))):
        of_check = uuid6.uuid7()
        for pocket in pockets:
            last = next_of(last)
            of = {"capture_id": last, "check_id": of_check, "check_size": 3, "operation": operation}
            line.see(pocket, minute, "intact", **of)
    assert (answered(line), overview(line).awaited) == (("pending", [], []), {3})
    with line.database.transaction() as session:
        incomplete_checks.give_up(session, incomplete_checks.awaited(session))
    assert answered(line) == ("review", [], [3])


def test_an_insert_change_that_was_said_by_a_clock_ahead_hides_no_check(line) -> None:
    line.see(1, 0, "intact")
    line.see(2, 0, "intact")
    with line.database.transaction() as session:
        ahead = line.capture(1, 600).captured_at
        insert_changes.record(session, "mill-1", "head-1", 1, by="ana", at=ahead)
    for minute, operation, pockets in ((1, "op-2", (1, 2)), (2, "op-3", (2,))):
        of_check = uuid6.uuid7()
        for pocket in pockets:
            line.see(pocket, minute, "intact", check_id=of_check, operation=operation)
    assert (answered(line), overview(line).awaited) == (("pending", [], []), {1})
