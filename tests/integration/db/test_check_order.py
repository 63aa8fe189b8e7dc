"""The photographs of one head lie in the order in which their outbox took them, whatever the clocks say."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
import uuid6

from db.line import captures, check_order, checks, incomplete_checks, insert_changes, verdicts
from db.line.captures import Arrival, Capture
from db.queries import head_overview, replace_list
from tests.database_support import id_at
from tests.integration.db.conftest import T0
from tests.support import next_of

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Shop:
    """A head of four pockets, and the stations that photograph it."""

    def __init__(self, line):
        self._line = line
        self._last: dict[str, UUID] = {}

    def photograph(self, pocket: int, at: datetime, check: UUID, *, size: int = 4, station: str = "st-1") -> Capture:
        self._last[station] = next_of(self._last.get(station))
        return self._line.capture(
            pocket,
            captured_at=at,
            capture_id=self._last[station],
            check_id=check,
            check_size=size,
            operation=str(check)[:8],
            station=station,
        )

    def comes(self, at: datetime, *photographs: Capture, outcome: str = "intact", shows: bool = True) -> None:
        with self._line.database.transaction() as session:
            captures.arrive(session, [Arrival(photograph, at, shows=shows) for photograph in photographs])
        for photograph in photographs:
            self.judge(photograph, outcome)

    def judge(self, photograph: Capture, outcome: str) -> None:
        with self._line.database.transaction() as session:
            verdicts.record(session, self._line.verdict(photograph.capture_id, outcome))

    def give_up(self) -> None:
        with self._line.database.transaction() as session:
            incomplete_checks.give_up(session, incomplete_checks.awaited(session))

    def state(self) -> str | None:
        with self._line.database.reading() as session:
            [head] = head_overview.overviews(session, [("mill-1", "head-1")])
        return head.answer and head.answer.state


@pytest.mark.parametrize("how", ["given up", "stand-in", "awaited"])
def test_what_was_lost_and_is_sent_again_says_nothing_of_a_pocket_that_was_missed_since(line, how) -> None:
    """By a clock that is three minutes ahead: so it seems to be taken when it came."""
    shop, ahead = Shop(line), 3 * MINUTE
    runs = [uuid6.uuid7() for _ in range(3)]
    for minute, run in zip((0, 10, 12), runs, strict=True):
        at = T0 + minute * MINUTE
        taken = [shop.photograph(pocket, at + ahead, run) for pocket in (1, 2, 3, 4)]
        if run is runs[0]:
            shop.comes(at + SECOND, *taken)
        elif run is runs[1]:
            lost = taken
        else:
            shop.comes(at + SECOND, *taken[:3])
            if how == "stand-in":
                shop.comes(at + SECOND, taken[3], outcome="unusable", shows=False)
    if how == "given up":
        shop.give_up()
    before = shop.state()
    assert before == ("pending" if how == "awaited" else "review")
    shop.comes(T0 + 12 * MINUTE + 5 * SECOND, *lost)
    assert shop.state() == before


def test_what_another_station_took_in_between_hides_no_check_of_a_clock_that_was_set_right(line) -> None:
    """Two cameras at one computer, two minutes ahead."""
    shop, runs = Shop(line), [uuid6.uuid7(), uuid6.uuid7()]
    ahead = T0 + 2 * MINUTE
    shop.comes(ahead, *(shop.photograph(pocket, ahead, runs[0], station="cam-A") for pocket in (1, 2, 3, 4)))
    for second in (1, 2, 3):
        at = ahead + second * SECOND
        shop.comes(at, shop.photograph(4, at, uuid6.uuid7(), size=1, station="cam-B"))
    right = T0 + MINUTE
    shop.comes(right, *(shop.photograph(pocket, right, runs[1], station="cam-A") for pocket in (1, 2)))
    assert shop.state() == "pending"
    shop.give_up()
    assert shop.state() == "review"


def test_two_photographs_of_a_pocket_that_come_at_once_are_in_the_order_of_their_ids(line) -> None:
    """After a clock was set back by a minute; the check before was of another pocket."""
    shop, run = Shop(line), uuid6.uuid7()
    shop.comes(T0, shop.photograph(2, T0, uuid6.uuid7(), size=1))
    both = [shop.photograph(1, T0 + second * SECOND, run, size=1) for second in (-30, 60)]
    with line.database.transaction() as session:
        captures.arrive(session, [Arrival(one, T0 + 70 * SECOND) for one in both])
    shop.judge(both[0], "intact")
    shop.judge(both[1], "damaged")
    with line.database.reading() as session:
        assert [row.pocket for row in replace_list.to_replace(session)] == [1]


def test_what_another_outbox_says_it_took_before_takes_no_doubt_away(line) -> None:
    shop = Shop(line)
    shop.comes(T0, shop.photograph(1, T0, uuid6.uuid7(), size=1), outcome="unsure")
    earlier = shop.photograph(1, T0 - 2 * MINUTE, uuid6.uuid7(), size=1, station="st-2")
    shop.comes(T0 + 5 * SECOND, earlier)
    assert shop.state() == "review"


@pytest.mark.parametrize(
    ("shown", "late", "state"),
    [
        ("intact", "intact", "go"),
        ("damaged", "intact", "replace"),
        ("unsure", "intact", "review"),
        ("intact", "damaged", "replace"),
        ("damaged", "unsure", "replace"),
    ],
)
@pytest.mark.parametrize("is_late_first", [True, False])
def test_what_is_not_judged_yet_is_not_outdated_by_what_another_outbox_says_it_took_before(
    line, shown, late, state, is_late_first
) -> None:
    """As after an outage, when both send what they have kept; whichever is judged first, no damage is hidden."""
    shop = Shop(line)
    newest = shop.photograph(1, T0, uuid6.uuid7(), size=1)
    earlier = shop.photograph(1, T0 - 20 * MINUTE, uuid6.uuid7(), size=1, station="st-2")
    for second, photograph in enumerate((newest, earlier), 1):
        with line.database.transaction() as session:
            captures.arrive(session, [Arrival(photograph, T0 + second * SECOND)])
    if is_late_first:
        shop.judge(earlier, late)
        assert late == "damaged" or shop.state() == "pending"
    shop.judge(newest, shown)
    if not is_late_first:
        shop.judge(earlier, late)
    assert shop.state() == state
    with line.database.reading() as session:
        assert [row.pocket for row in replace_list.to_replace(session)] == ([1] if state == "replace" else [])


@pytest.mark.parametrize("ahead", [0 * SECOND, MINUTE])
@pytest.mark.parametrize("is_known", [True, False])
def test_what_was_lost_and_is_sent_again_takes_no_stand_in_of_its_own_check_away(line, ahead, is_known) -> None:
    """The newest photograph of the pocket was refused; also where the head was never seen before."""
    shop, run = Shop(line), uuid6.uuid7()
    if is_known:
        before = uuid6.uuid7()
        shop.comes(T0, *(shop.photograph(pocket, T0 + ahead, before, size=2) for pocket in (1, 2)))
    at = T0 + 10 * MINUTE
    first, lost, refused = (shop.photograph(pocket, at + ahead, run, size=2) for pocket in (1, 2, 2))
    shop.comes(at + SECOND, first)
    shop.comes(at + 2 * SECOND, refused, outcome="unusable", shows=False)
    assert shop.state() == "review"
    shop.comes(at + 8 * SECOND, lost)
    assert shop.state() == "review"
    with line.database.reading() as session:
        assert [(check.state, check.review) for check in checks.recent(session, limit=1)] == [("review", (2,))]


@pytest.mark.parametrize("lost_of", [1, 2])
@pytest.mark.parametrize(("before", "ahead"), [(0, 0), (5, 5), (0, 5)])
def test_a_photograph_of_the_old_insert_that_comes_after_the_change_is_none_of_the_new_one(
    line, before, ahead, lost_of
) -> None:
    """It was lost and is sent again, by a clock that was ahead when the head was photographed before, or is since."""
    shop, runs, clock = Shop(line), [uuid6.uuid7() for _ in range(3)], ahead * MINUTE
    shop.comes(T0 + SECOND, *(shop.photograph(pocket, T0 + before * MINUTE, runs[0], size=2) for pocket in (1, 2)))
    at = T0 + 10 * MINUTE
    both = [shop.photograph(pocket, at + clock, runs[1], size=2) for pocket in (1, 2)]
    lost = both.pop(lost_of - 1)
    shop.comes(at + SECOND, *both)
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", lost_of, by="ana", at=at + 2 * MINUTE)
    shop.comes(at + 6 * MINUTE, lost)
    assert shop.state() == "new"
    at += 7 * MINUTE
    shop.comes(at + SECOND, *(shop.photograph(pocket, at + clock, runs[2], size=2) for pocket in (1, 2)))
    assert shop.state() == "go"


def test_ids_that_name_no_outbox_are_read_only_where_they_lie_behind_what_is_new(line) -> None:
    """A gateway in another language has such ids: of three checks of its thirty each was read for each message."""
    with line.database.transaction() as session:
        for minute in range(3):
            run = uuid6.uuid7()
            for pocket in (1, 2, 3, 4):
                at = T0 + minute * MINUTE
                no_node = UUID(int=id_at(at).int & ~(1 << 64))
                capture = line.capture(pocket, captured_at=at, capture_id=no_node, check_id=run, check_size=4)
                captures.record(session, capture, at)

        def read(earliest: datetime) -> int:
            of = {"machine": "mill-1", "head": "head-1", "station": "st-1"}
            return len(check_order._NEWEST.execute(session.connection(), **of, earliest=earliest))

        assert [read(T0 + minute * MINUTE) for minute in (-1, 1, 3)] == [12, 4, 0]
