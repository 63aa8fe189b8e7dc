from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from typing import Literal
from uuid import UUID

import pytest
import uuid6

from db.line.capture_order import OLDEST, TOLERANCE, OrderedPhoto, claimed, clock_error, ordered_at
from tests.support import next_of

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
WRONG = {
    "10 h ahead": timedelta(hours=10),
    "10 h behind": timedelta(hours=-10),
    "1970": datetime(1970, 1, 1, tzinfo=UTC) - NOW,
    "2099": datetime(2099, 1, 1, tzinfo=UTC) - NOW,
}
RIGHT = timedelta()


def arrive(
    *told: tuple[datetime, datetime],
    stations: tuple[str, ...] = (),
    taken: Sequence[int] | None = None,
    outboxes: Literal["one", "two", "unknown"] = "one",
) -> list[OrderedPhoto]:
    """The photographs of one pocket as they arrive, each with what its clock says and when it comes.

    `taken` is the place of each in the order in which they were handed in, by which ids rise: that of arrival. Ids of
    one outbox have a node in common; it is `unknown` where they have none.
    """
    found: list[OrderedPhoto] = []
    ids: list[UUID] = []
    for _ in told:
        of_outbox = next_of(ids[-1] if ids and outboxes == "one" else None)
        ids.append(uuid6.uuid7() if outboxes == "unknown" else of_outbox)
    for number, (captured_at, received_at) in enumerate(told):
        capture_id = ids[taken[number] if taken else number]
        station = stations[number] if stations else "st-1"
        newest = max(found, key=lambda each: (each.ordered_at, each.capture_id), default=None)
        moment = ordered_at(capture_id, station, captured_at, received_at, newest)
        found.append(OrderedPhoto(capture_id, station, captured_at, received_at, moment))
    return found


def in_order(found: list[OrderedPhoto]) -> list[int]:
    """The numbers of the arrivals, oldest first."""
    return sorted(range(len(found)), key=lambda number: (found[number].ordered_at, found[number].capture_id))


@pytest.mark.parametrize("off", WRONG.values(), ids=WRONG)
def test_a_clock_that_is_set_spoils_no_order(off: timedelta) -> None:
    """Right, then wrong, then right again, seconds apart: what was taken last is newest each time."""
    clocks = [RIGHT, off, off, RIGHT, RIGHT]
    moments = [NOW + number * 20 * SECOND for number in range(len(clocks))]
    found = arrive(*((moment + off, moment + SECOND) for moment, off in zip(moments, clocks, strict=True)))
    assert in_order(found) == [0, 1, 2, 3, 4]
    assert all(each.ordered_at - each.received_at <= SECOND for each in found), "none lies in the future"


def test_no_way_from_one_wrong_clock_to_another_spoils_the_order() -> None:
    for clocks in permutations([RIGHT, *WRONG.values()]):
        moments = [NOW + number * 20 * SECOND for number in range(len(clocks))]
        found = arrive(*((moment + off, moment + SECOND) for moment, off in zip(moments, clocks, strict=True)))
        assert in_order(found) == list(range(len(clocks))), clocks


@pytest.mark.parametrize("off", WRONG.values(), ids=WRONG)
def test_a_clock_that_was_set_while_nothing_was_sent_spoils_no_order(off: timedelta) -> None:
    """Both wait in the outbox, taken by two clocks, and come when Redis is back."""
    back = NOW + 2 * HOUR
    assert in_order(arrive((NOW + off, back), (NOW + HOUR, back + SECOND))) == [0, 1]


def test_a_clock_set_back_in_an_outage_spoils_no_order() -> None:
    back = NOW + 2 * HOUR
    assert in_order(arrive((NOW, back), (NOW + HOUR - 10 * HOUR, back + SECOND))) == [0, 1]


@pytest.mark.parametrize("seconds", [1, 3, 30, 120, 500, 599, 601, 3600])
def test_a_clock_that_is_set_back_between_a_photograph_and_its_retake_spoils_no_order(seconds: int) -> None:
    """The pocket was photographed again after forty seconds: what was handed in later is newer."""
    again = NOW + 40 * SECOND
    assert in_order(arrive((NOW, NOW + SECOND), (again - seconds * SECOND, again + SECOND))) == [0, 1]


def test_of_a_gateway_whose_ids_follow_its_clock_the_clock_decides() -> None:
    """What decision 15 does not promise: a gateway in another language."""
    back = NOW + 2 * HOUR
    clock = NOW + HOUR - 10 * HOUR
    assert in_order(arrive((NOW, back), (clock, back + SECOND), taken=[1, 0], outboxes="unknown")) == [1, 0]
    assert in_order(arrive((NOW, back), (clock, back + HOUR), taken=[1, 0], outboxes="unknown")) == [0, 1], (
        "not when they come apart"
    )


@pytest.mark.parametrize("minutes", [1, 4, 6, 11])
def test_a_second_computer_with_the_name_of_a_station_spoils_no_order(minutes: int) -> None:
    """A spare one, or one that lost its outbox, or a default name: ids begin anew, by a clock that is behind."""
    later, behind = NOW + minutes * 60 * SECOND, timedelta(minutes=5)
    told = (NOW, NOW + SECOND), (later - behind, later + SECOND)
    taken = [1, 0] if later - behind < NOW else [0, 1]
    assert in_order(arrive(*told, taken=taken, outboxes="two")) == [0, 1]


def test_a_backlog_lies_where_it_was_taken() -> None:
    """A station that was offline for a day, with a right clock."""
    back = NOW + 24 * HOUR
    found = arrive(*((NOW + hour * HOUR, back + hour * SECOND) for hour in range(24)), (back, back + 25 * SECOND))
    assert [each.ordered_at for each in found] == [each.captured_at for each in found]


def test_a_backlog_that_workers_take_out_of_order_is_in_order() -> None:
    back = NOW + 24 * HOUR
    hours = [3, 1, 0, 2, 7, 5, 6, 4]
    found = arrive(*((NOW + hour * HOUR, back + number * SECOND) for number, hour in enumerate(hours)), taken=hours)
    assert [hours[number] for number in in_order(found)] == sorted(hours)


@pytest.mark.parametrize("clock", [RIGHT, *WRONG.values()], ids=["right", *WRONG])
@pytest.mark.parametrize("minutes", [2, 11, 180])
def test_one_that_lay_lost_until_a_later_one_was_answered_is_older_than_that(minutes: int, clock: timedelta) -> None:
    """Redis lost a message, and for hours nothing was photographed: it is sent again once the next has its answer."""
    lost, later = NOW - minutes * 60 * SECOND, NOW + SECOND
    assert in_order(arrive((NOW, later), (lost + clock, later + 4 * SECOND), taken=[1, 0])) == [1, 0]


def test_a_message_that_was_lost_and_sent_again_keeps_its_place() -> None:
    found = arrive((NOW + 60 * SECOND, NOW + 61 * SECOND), (NOW, NOW + 320 * SECOND), taken=[1, 0])
    assert in_order(found) == [1, 0]
    assert found[1].ordered_at == NOW


def test_a_fault_that_is_tried_again_after_days_is_as_old_as_it_was() -> None:
    """It came first days ago, which is what counts, however late it is recorded."""
    later = NOW + 72 * HOUR
    assert in_order(arrive((later, later + SECOND), (NOW, NOW + SECOND), taken=[1, 0])) == [1, 0]


@pytest.mark.parametrize("off", WRONG.values(), ids=WRONG)
def test_the_clock_of_the_one_computer_of_a_shop_spoils_no_order(off: timedelta) -> None:
    """Station and worker have it in common: arrival is as wrong as what the station says."""
    for steps in ([off, RIGHT], [RIGHT, off], [RIGHT, off, RIGHT, RIGHT]):
        clocks = [NOW + number * HOUR + step for number, step in enumerate(steps)]
        assert in_order(arrive(*((clock, clock + SECOND) for clock in clocks))) == list(range(len(steps)))


def test_no_way_from_one_wrong_clock_of_the_one_computer_to_another_spoils_the_order() -> None:
    for steps in permutations([RIGHT, *WRONG.values()]):
        clocks = [NOW + number * HOUR + step for number, step in enumerate(steps)]
        assert in_order(arrive(*((clock, clock + SECOND) for clock in clocks))) == list(range(len(steps))), steps


@pytest.mark.parametrize("off", [31 * 60 * SECOND, HOUR, 10 * HOUR, WRONG["2099"]])
def test_of_a_gateway_beside_a_worker_whose_clock_was_set_back_what_is_written_later_is_newer(off: timedelta) -> None:
    """Its ids follow the clock that both have in common, and name no outbox."""
    now, ahead = NOW + HOUR // 2, NOW + off
    first, again = sorted(uuid6.uuid7() for _ in range(2))
    newest = OrderedPhoto(again, "gateway", ahead, ahead, ahead)
    assert ordered_at(first, "gateway", now, now, newest, now=now) > ahead
    assert ordered_at(first, "gateway", now, now, newest, now=ahead) == now, "a fault that is tried again later"


def test_of_two_stations_the_one_that_comes_last_is_newest() -> None:
    """Nothing can be said about two clocks; arrival decides."""
    found = arrive((NOW, NOW + SECOND), (NOW - 9 * 60 * SECOND, NOW + 2 * SECOND), stations=("st-1", "st-2"))
    assert in_order(found) == [0, 1]


def test_damage_is_not_outdated_by_another_outbox_s_older_photograph() -> None:
    seen = OrderedPhoto(next_of(), "st-1", NOW, NOW, NOW, flagged=True)
    before, after = NOW - HOUR, NOW + 2 * HOUR
    same, other, earlier = next_of(seen.capture_id), next_of(), UUID(int=seen.capture_id.int - (1 << 80))
    of_gateway, its_next = uuid6.uuid7(), uuid6.uuid7()
    for station, capture_id, captured_at, newest, older in (
        ("st-2", same, before, seen, True),  # a backlog, or a clock that is behind
        ("st-2", same, after, seen, False),
        ("st-2", same, before, replace(seen, flagged=False), False),
        ("st-1", same, before, seen, False),  # its clock was set back
        ("st-1", other, before, seen, True),  # a second computer with its name
        ("st-1", earlier, before, replace(seen, flagged=False), True),  # lost, and sent again after a night
        ("st-1", of_gateway, before, replace(seen, capture_id=its_next), True),  # by ids that do not say whose they are
        ("st-1", its_next, before, replace(seen, capture_id=of_gateway), False),
        ("st-2", same, datetime(1970, 1, 1, tzinfo=UTC), seen, False),
        ("st-2", same, before, replace(seen, captured_at=NOW + 10 * HOUR), False),
    ):
        moment = ordered_at(capture_id, station, captured_at, after, newest)
        assert (moment < newest.ordered_at) == older, (station, capture_id, captured_at)


def test_what_comes_after_a_change_that_lies_ahead_lies_behind_it() -> None:
    ahead = NOW + 10 * HOUR
    first = ordered_at(uuid6.uuid7(), "st-1", NOW, NOW, None, ahead)
    assert first > ahead, "of a pocket of which nothing is kept"
    seen = OrderedPhoto(next_of(), "st-1", NOW, NOW, NOW)
    later = NOW + HOUR
    for clock in (RIGHT, *WRONG.values()):
        moment = ordered_at(next_of(seen.capture_id), "st-1", later + clock, later, seen, ahead)
        assert ahead < moment <= ahead + SECOND, clock
    overtaken = replace(seen, capture_id=next_of(seen.capture_id))
    assert ordered_at(seen.capture_id, "st-1", NOW - SECOND, NOW + SECOND, overtaken, ahead) < NOW
    # A change that lies where it was said changes nothing.
    for claims in (NOW + 10 * SECOND, later):
        assert ordered_at(uuid6.uuid7(), "st-1", claims, later, seen, NOW + 60 * SECOND) == claims


def test_what_another_station_took_before_the_newest_lies_before_a_change_since() -> None:
    seen = OrderedPhoto(uuid6.uuid7(), "st-1", NOW, NOW, NOW)
    changed_at, comes = NOW + HOUR, NOW + 2 * HOUR
    for ahead in (changed_at, comes + HOUR):
        moment = ordered_at(uuid6.uuid7(), "st-2", NOW - HOUR, comes, seen, ahead)
        assert seen.ordered_at < moment < ahead
    assert ordered_at(uuid6.uuid7(), "st-2", NOW - HOUR, comes, seen, NOW - SECOND) == comes
    assert ordered_at(uuid6.uuid7(), "st-2", NOW - HOUR, comes, replace(seen, flagged=True), changed_at) < NOW


def test_what_a_station_sends_again_from_before_the_newest_is_none_of_the_new_insert() -> None:
    older, newer, next_one = (uuid6.uuid7() for _ in range(3))
    seen, changed_at, comes = OrderedPhoto(newer, "st-1", NOW, NOW, NOW), NOW + HOUR, NOW + 2 * HOUR
    assert NOW < ordered_at(older, "st-1", NOW - HOUR, comes, seen, changed_at) < changed_at
    assert ordered_at(next_one, "st-1", NOW - HOUR, comes, seen, changed_at) == comes, "a clock set back"
    assert ordered_at(older, "st-1", NOW - HOUR, comes, seen) == comes, "no insert was changed: nothing is hidden"


def test_the_same_moment_is_decided_by_the_id() -> None:
    ids = [one := next_of(), next_of(one)]
    newest = OrderedPhoto(ids[1], "st-1", NOW, NOW, NOW)
    assert ordered_at(ids[0], "st-1", NOW, NOW, newest) < NOW
    newest = OrderedPhoto(ids[0], "st-1", NOW, NOW, NOW)
    assert ordered_at(ids[1], "st-1", NOW, NOW, newest) == NOW


def test_a_long_row_from_a_clock_ahead_stays_in_order() -> None:
    found = arrive(*((NOW + 10 * HOUR, NOW) for _ in range(50)))
    assert all(one.ordered_at < two.ordered_at for one, two in pairwise(found))


def test_what_a_station_says_is_believed_within_bounds() -> None:
    assert claimed(NOW - 20 * 24 * HOUR, NOW) == NOW - 20 * 24 * HOUR
    assert claimed(NOW + SECOND, NOW) == NOW
    assert claimed(NOW - OLDEST - SECOND, NOW) == NOW


def test_a_clock_is_wrong_where_it_was_not_believed() -> None:
    assert clock_error(NOW, NOW) is None
    assert clock_error(NOW + TOLERANCE, NOW) is None
    assert clock_error(NOW + 10 * HOUR, NOW) == 10 * HOUR
    assert clock_error(NOW - 10 * HOUR, NOW) == -10 * HOUR
