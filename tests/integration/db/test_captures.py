from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
import uuid6
from sqlalchemy import func, select, update

from db.line import attempts, captures, checks, verdicts
from db.line.capture_order import clock_error
from db.line.captures import Arrival
from db.queries import head_overview, pocket_history, replace_list
from db.schema.tables import Captures, Pockets
from tests.database_support import status_of
from tests.support import next_of


def test_a_capture_comes_back_as_it_went_in(line, start) -> None:
    plain = line.capture()
    full = line.capture(
        2,
        region={"left": 1, "top": 2, "width": 30, "height": 40},
        insert_designation="CNMG 120408-PM",
        edge=3,
        operations_on_edge=12,
    )
    with line.database.transaction() as session:
        assert captures.record(session, plain, start) is True
        assert captures.record(session, full, start) is True
    with line.database.reading() as session:
        assert captures.find(session, plain.capture_id) == plain
        assert captures.find(session, full.capture_id) == full
        assert captures.find(session, uuid6.uuid7()) is None


def test_twice_is_once(line, start) -> None:
    capture = line.see()
    with line.database.transaction() as session:
        assert captures.record(session, capture, start + timedelta(days=1)) is False
        assert captures.record(session, replace(capture, pocket=9, check_id=uuid6.uuid7()), start) is False
    with line.database.reading() as session:
        assert captures.find(session, capture.capture_id) == capture
        assert session.scalar(select(Captures.received_at)) == start
        assert len(checks.recent(session)) == 1


def test_many_at_once_record_it_once(line, start) -> None:
    capture = line.capture()
    together = Barrier(8)

    def record() -> bool:
        together.wait(30)
        with line.database.transaction() as session:
            return captures.record(session, capture, start)

    with ThreadPoolExecutor(8) as pool:
        found = [each.result() for each in [pool.submit(record) for _ in range(8)]]
    assert sorted(found) == [False] * 7 + [True]


def test_all_captures_of_a_check_at_once(line, start) -> None:
    together = Barrier(8)

    def record(pocket: int) -> bool:
        capture = line.capture(pocket, minute=10 - pocket)
        together.wait(30)
        with line.database.transaction() as session:
            return captures.record(session, capture, start + timedelta(minutes=20))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(record, range(1, 9)))
    with line.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Captures)) == 8
        [check] = checks.recent(session)
    assert check.started_at == start + timedelta(minutes=2), "the earliest capture, in whatever order they came"


def test_of_captures_of_one_pocket_at_once_the_newest_is_the_pockets(line, start) -> None:
    together = Barrier(8)

    def record(minute: int) -> None:
        capture = line.capture(1, minute, check_id=uuid6.uuid7())
        together.wait(30)
        with line.database.transaction() as session:
            captures.record(session, capture, start + timedelta(minutes=20))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(8)))
    with line.database.reading() as session:
        [pocket] = session.execute(select(Pockets.ordered_at, Captures.captured_at).join(Captures)).all()
    assert pocket[0] == pocket[1] == start + timedelta(minutes=7)


def test_attempts_are_counted(line) -> None:
    capture = line.see()
    for expected in (1, 2, 3):
        with line.database.transaction() as session:
            assert attempts.count(session, capture.capture_id) == expected


@pytest.mark.parametrize(
    "changes",
    [{"image_sha256": "b" * 64}, {"pocket": 4}, {"check_id": UUID(int=7)}, {"operation": "op-other"}, {"region": None}],
    ids=["photograph", "pocket", "check", "operation", "region"],
)
def test_an_id_that_another_capture_has_is_told_and_changes_nothing(line, start, changes) -> None:
    outline = {"polygon": [{"x": 1, "y": 2}, {"x": 90, "y": 2}, {"x": 40, "y": 80}]}
    capture = line.capture(1, region=outline)
    other, station = replace(capture, **changes), replace(capture, station="another")
    for _ in range(2):  # in one message, and later
        with line.database.transaction() as session:
            arrivals = [Arrival(each, start) for each in (capture, capture, other, station)]
            assert [known.another for known in captures.arrive(session, arrivals)] == [False, False, True, False]
    with line.database.reading() as session:
        assert captures.find(session, capture.capture_id) == capture


def test_attempts_at_an_unknown_capture_are_an_error(line) -> None:
    with pytest.raises(LookupError, match="not recorded"), line.database.transaction() as session:
        attempts.count(session, UUID(int=1))


def test_a_naive_time_is_refused(line, start) -> None:
    capture = line.capture(captured_at=start.replace(tzinfo=None))
    with pytest.raises(Exception, match="needs its offset from UTC"), line.database.transaction() as session:
        captures.record(session, capture, start)


def test_many_arrivals_in_one_transaction(line, start) -> None:
    known = line.see(1, outcome="damaged")
    tried = line.see(2)
    other, new = line.capture(3, minute=1), line.capture(3, minute=2)
    arrivals = [Arrival(capture, start, tried=True) for capture in (new, known, tried, new, other)]
    with line.database.transaction() as session:
        attempts.count(session, tried.capture_id)
        answers = captures.arrive(session, arrivals)
    assert [(each.new, each.attempts) for each in answers] == [
        (True, 0),
        (False, 0),
        (False, 1),  # tried before without coming to an end: counted when it is tried again, alone
        (False, 1),  # the same message twice in one transaction
        (True, 0),
    ]
    assert [each.verdict.outcome if each.verdict else None for each in answers] == [None, "damaged", None, None, None]
    with line.database.reading() as session:
        ids = [capture.capture_id for capture in (new, known, tried, other)]
        assert [attempts.of(session, capture_id) for capture_id in ids] == [1, 0, 1, 1]
        newest = session.scalar(select(Pockets.capture_id).where(Pockets.pocket == 3))
        assert newest == new.capture_id


def test_an_arrival_that_waited_for_its_image_counts_when_judging_begins(line, start) -> None:
    capture = line.capture()
    for tried in (False, True):
        with line.database.transaction() as session:
            assert captures.arrive(session, [Arrival(capture, start, tried=tried)])[0].attempts == 0
    with line.database.reading() as session:
        assert attempts.of(session, capture.capture_id) == 1


def test_workers_whose_batches_overlap_do_not_stand_in_each_others_way(line, start) -> None:
    crowd = [line.capture(pocket % 30 + 1, minute=pocket) for pocket in range(120)]
    together = Barrier(6)

    def work(seed: int) -> int:
        order = sorted(crowd, key=lambda capture: (capture.capture_id.int >> seed) % 1009)
        together.wait(30)
        new = 0
        for first in range(0, len(order), 40):
            part = order[first : first + 40]
            with line.database.transaction() as session:
                new += sum(
                    known.new for known in captures.arrive(session, [Arrival(each, start, True) for each in part])
                )
            with line.database.transaction() as session:
                verdicts.record_all(session, [line.verdict(each.capture_id) for each in part])
        return new

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == len(crowd)
    with line.database.reading() as session:
        assert verdicts.count(session) == len(crowd)
        assert session.scalar(select(func.count()).where(Captures.outcome == "intact")) == len(crowd)


NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WRONG = {
    "10 h ahead": NOW + timedelta(hours=10),
    "10 h behind": NOW - timedelta(hours=10),
    "1970": datetime(1970, 1, 1, tzinfo=UTC),
    "2099": datetime(2099, 1, 1, tzinfo=UTC),
}


def photograph(
    line, captured_at: datetime, received_at: datetime, outcome: str | None = None, **changes: object
) -> UUID:
    """A photograph of one pocket, in a check of its own, and the verdict on it where an outcome is given."""
    capture = line.capture(captured_at=captured_at, check_id=uuid6.uuid7(), check_size=1, **changes)
    with line.database.transaction() as session:
        captures.record(session, capture, received_at)
        if outcome is not None:
            verdicts.record(session, line.verdict(capture.capture_id, outcome))
    return capture.capture_id


def test_what_stands_in_for_a_photograph_leaves_its_pocket_as_it_was(line, start) -> None:
    worn = line.see(1, 0, "damaged")
    line.see(2, 1, "intact")
    stand_in = line.capture(1, 2)
    with line.database.transaction() as session:
        captures.arrive(session, [Arrival(stand_in, start + timedelta(minutes=2), tried=True, shows=False)])
        verdicts.record(session, line.verdict(stand_in.capture_id, "unusable"))
    with line.database.reading() as session:
        assert [row.capture_id for row in replace_list.to_replace(session)] == [worn.capture_id]
        assert [row.outcome for row in pocket_history.of_pocket(session, "mill-1", "head-1", 1)] == [
            "unusable",
            "damaged",
        ]
        check = status_of(session, line.check_id)
        assert (check.state, check.review) == ("review", (1,)), "the newest of its pocket was not seen"


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_clock_spoils_neither_what_is_to_be_replaced_nor_history(line, wrong) -> None:
    """Of one outbox; of a gateway, whose ids do not say whose they are, damage stays on the list."""
    before = photograph(line, NOW, NOW + SECOND, "damaged", capture_id=next_of())
    clock, came = wrong + 30 * SECOND, NOW + 31 * SECOND
    by_wrong_clock = photograph(line, clock, came, "intact", capture_id=next_of(before))
    with line.database.reading() as session:
        assert replace_list.to_replace(session) == []
    clock, came = NOW + 60 * SECOND, NOW + 61 * SECOND
    after = photograph(line, clock, came, "damaged", capture_id=next_of(by_wrong_clock))
    with line.database.reading() as session:
        assert [row.capture_id for row in replace_list.to_replace(session)] == [after]
        rows = pocket_history.of_pocket(session, "mill-1", "head-1", 1)
        assert [row.capture_id for row in rows] == [after, by_wrong_clock, before]
        assert [clock_error(row.captured_at, row.ordered_at) is None for row in rows] == [True, False, True]
        assert [check.state for check in checks.recent(session)] == ["replace", "go", "replace"]
        assert all(check.started_at <= NOW + 61 * SECOND for check in checks.recent(session))
        between = verdicts.search(session, since=NOW + 20 * SECOND, until=NOW + 50 * SECOND)
        assert [row.capture_id for row in between] == [by_wrong_clock]


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_in_one_check_a_wrong_clock_spoils_nothing_either(line, wrong) -> None:
    """A pocket that is photographed again in its check, by a clock that was set in between, in one transaction."""
    for minute, clocks in enumerate(((NOW, wrong), (wrong, NOW))):
        line.check_id = uuid6.uuid7()
        came = NOW + timedelta(hours=minute)
        first, second = (line.capture(check_size=1, captured_at=clock) for clock in clocks)
        with line.database.transaction() as session:
            told = captures.arrive(session, [Arrival(second, came + 40 * SECOND), Arrival(first, came)])
            verdicts.record(session, line.verdict(first.capture_id, "damaged"))
            verdicts.record(session, line.verdict(second.capture_id, "intact"))
        assert told[0].ordered_at > told[1].ordered_at
        with line.database.reading() as session:
            assert status_of(session, line.check_id).state == "go"
            assert replace_list.to_replace(session) == []


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_check_of_a_wrong_clock_begins_behind_the_one_before_it(line, wrong, at_once) -> None:
    """Also where a pocket was never photographed before, of which nothing says that the clock is wrong."""
    begun = []
    for came, clock, pockets in ((NOW, NOW, (1, 2)), (NOW + 60 * SECOND, wrong, (1, 2, 3))):
        line.check_id = uuid6.uuid7()
        of_check = [line.capture(pocket, check_size=3, captured_at=clock) for pocket in pockets]
        last = begun[0][1] if begun else next_of()  # ids of an outbox are in order, whatever its clock says
        of_check = [replace(one, capture_id=(last := next_of(last))) for one in of_check]
        arrivals = [Arrival(capture, came + number * SECOND) for number, capture in enumerate(of_check)]
        for part in [arrivals] if at_once else [[arrival] for arrival in reversed(arrivals)]:
            with line.database.transaction() as session:
                captures.arrive(session, part)
        begun.append((line.check_id, of_check[-1].capture_id))
    with line.database.reading() as session:
        assert [check.check_id for check in checks.recent(session)] == [begun[1][0], begun[0][0]]


def test_the_backlog_of_another_station_hides_no_damage(line) -> None:
    def seen(hours: float, came: float, outcome: str, station: str) -> UUID:
        return photograph(line, NOW + timedelta(hours=hours), NOW + timedelta(hours=came), outcome, station=station)

    damaged = seen(0, 0, "damaged", "st-1")
    seen(-2, 1, "intact", "st-2")
    with line.database.reading() as session:
        assert [row.capture_id for row in replace_list.to_replace(session)] == [damaged]
    seen(1.5, 2, "intact", "st-2")
    with line.database.reading() as session:
        assert replace_list.to_replace(session) == []


@pytest.mark.parametrize("judged", ["before it", "after it", "hours after it"])
@pytest.mark.parametrize("ids", ["of two outboxes", "of one gateway"])
@pytest.mark.parametrize("minutes", [1, 9])
def test_a_clock_ahead_of_this_one_hides_no_damage_that_comes_after_it(line, minutes, ids, judged) -> None:
    """One that was set back since by minutes, or another worker's; however long the newest waits to be judged."""
    now = datetime.now(UTC)
    ahead = now + timedelta(minutes=minutes)
    second, first = sorted(uuid6.uuid7() for _ in range(2))
    if ids == "of two outboxes":
        first, second = next_of(), next_of()
    station = "st-2" if ids == "of two outboxes" else "st-1"
    newest = line.capture(capture_id=first, captured_at=ahead, check_size=1)
    with line.database.transaction() as session:
        captures.record(session, newest, ahead)
        if judged == "before it":
            verdicts.record(session, line.verdict(first))
    damaged = photograph(line, now, now, capture_id=second, station=station)
    with line.database.transaction() as session:
        if judged == "hours after it":  # then no clock says any more that the newest came ahead
            for capture_id, came in ((first, ahead), (second, now)):
                past = update(Captures).where(Captures.capture_id == capture_id)
                session.execute(past.values(received_at=came - timedelta(hours=3)))
        if judged != "before it":
            verdicts.record(session, line.verdict(first))
        verdicts.record(session, line.verdict(second, "damaged"))
        assert [row.capture_id for row in replace_list.to_replace(session)] == [damaged]
        [known] = head_overview.overviews(session, [("mill-1", "head-1")])
    assert known.answer.state == "replace"


def test_a_capture_that_comes_again_keeps_its_place(line) -> None:
    """By its first arrival, however often and late it is delivered."""
    capture = line.capture(captured_at=WRONG["2099"])
    with line.database.transaction() as session:
        captures.record(session, capture, NOW)
        assert captures.arrive(session, [Arrival(capture, NOW + timedelta(hours=9))])[0].ordered_at is None
    with line.database.reading() as session:
        assert session.scalar(select(Captures.ordered_at)) == session.scalar(select(Captures.received_at)) == NOW
        assert session.scalar(select(Captures.captured_at)) == WRONG["2099"], "as told"
