"""A person says that an insert was changed: its life ends there, by the order in which photographs were taken."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import uuid6
from sqlalchemy import select

from db.learning import reviews
from db.line import captures, insert_changes, verdicts
from db.line.insert_changes import InsertChange
from db.people import audit, audited_insert_changes, external_insert_changes
from db.queries import head_overview, pocket_history, replace_list
from db.queries.head_inserts import head_now
from db.queries.mtconnect_asset import item_status
from db.schema.tables import InsertChanges
from producer.contract.insert_change import KeptChange
from tests.database_support import id_at
from tests.integration.db.conftest import T0

PLACE = ("mill-1", "head-1", 1)


def change(line, minute: float, **changes) -> tuple[InsertChange, bool]:
    values = {"by": "ana", "at": T0 + timedelta(minutes=minute)} | changes
    with line.database.transaction() as session:
        return insert_changes.record(session, *PLACE, **values)


def lives(line) -> list[list[int]]:
    """The labelled photographs of each insert, by their place among all that were labelled."""
    with line.database.reading() as session:
        items = sorted(reviews.labelled(session), key=lambda item: (item.captured_at, item.capture_id))
    keys = [item.insert_key for item in items]
    return [[number for number, key in enumerate(keys) if key == each] for each in dict.fromkeys(keys)]


def seen(line, *minutes: float, **changes) -> list:
    photographs = [line.see(1, minute, "intact", **changes) for minute in minutes]
    for photograph in photographs:
        line.say(photograph, "intact")
    return photographs


def test_a_life_ends_where_a_person_says_so(line) -> None:
    seen(line, 0, 10)
    assert lives(line) == [[0, 1]]
    change(line, 15)
    assert lives(line) == [[0, 1]]
    seen(line, 20, 30)
    assert lives(line) == [[0, 1], [2, 3]]


def test_of_one_pocket_only(line) -> None:
    seen(line, 0)
    change(line, 5)
    for where in ({"machine": "mill-2"}, {"head": "head-2"}, {"pocket": 2}):
        capture = [line.see(**{"pocket": 1, "minute": minute, "outcome": "intact", **where}) for minute in (0, 10)]
        for each in capture:
            line.say(each, "intact")
    seen(line, 10)
    assert sorted(map(len, lives(line))) == [1, 1, 2, 2, 2]


def test_what_was_known_lies_before_it_though_the_worker_s_clock_is_ahead_of_the_console_s(line) -> None:
    ahead = line.capture(1, 4)
    with line.database.transaction() as session:
        captures.record(session, ahead, T0 + timedelta(minutes=4))
    line.say(ahead, "intact")
    kept, _ = change(line, 2)
    assert kept.at > ahead.captured_at > T0 + timedelta(minutes=2)
    seen(line, 20)
    assert lives(line) == [[0], [1]]


def test_a_photograph_out_of_a_backlog_lies_where_it_was_taken(line) -> None:
    seen(line, 0)
    change(line, 60)
    late = line.capture(1, 30)
    with line.database.transaction() as session:
        captures.record(session, late, T0 + timedelta(hours=2))
    line.say(late, "intact")
    newest = line.capture(1, 90)
    with line.database.transaction() as session:
        captures.record(session, newest, T0 + timedelta(hours=2))
    line.say(newest, "intact")
    assert lives(line) == [[0, 1], [2]]


def test_said_twice_it_is_one_change(line) -> None:
    seen(line, 0)
    first, is_new = change(line, 5)
    assert is_new
    assert change(line, 6, by="bert") == (first, False)
    seen(line, 10)
    second, is_new = change(line, 11)
    assert is_new
    with line.database.reading() as session:
        assert insert_changes.of_pocket(session, *PLACE) == [second, first]


def test_said_later_it_begins_with_the_photograph_that_is_named(line) -> None:
    photographs = seen(line, 0, 10, 20)
    kept, is_new = change(line, 60, first=photographs[1].capture_id)
    assert (kept.at, is_new) == (photographs[1].captured_at, True)
    assert lives(line) == [[0], [1, 2]]
    assert change(line, 61, first=photographs[1].capture_id) == (kept, False)
    _, is_new = change(line, 62, first=photographs[0].capture_id)
    assert is_new
    assert lives(line) == [[0], [1, 2]]
    with line.database.transaction() as session:
        assert insert_changes.withdraw(session, kept.id) == kept
    assert lives(line) == [[0, 1, 2]]


def test_the_history_says_when_and_the_replace_list_has_it_no_longer(line) -> None:
    line.see(1, 0, "damaged")
    line.see(2, 0, "damaged")
    kept, _ = change(line, 5)
    with line.database.reading() as session:
        assert [row.pocket for row in replace_list.to_replace(session)] == [2]
    line.see(1, 10, "damaged")
    with line.database.reading() as session:
        assert [row.pocket for row in replace_list.to_replace(session)] == [1, 2]
        rows = pocket_history.of_pocket(session, *PLACE)
    assert [row.insert_changed_at for row in rows] == [kept.at, None]
    assert [row.insert_removed_at for row in rows] == [None, kept.at]


def test_until_it_is_looked_at_a_new_insert_makes_its_head_neither_red_nor_a_go(line) -> None:
    for pocket in (1, 2):
        line.see(pocket, 0, "damaged")

    def head() -> tuple[dict[int, str], str, list[int], list[int]]:
        with line.database.reading() as session:
            [overview] = head_overview.overviews(session, [PLACE[:2]])
            listed = [each.pocket for each in replace_list.just_changed(session)]
        assert listed == overview.answer.new
        return overview.words, overview.answer.state, overview.answer.replace, overview.answer.new

    assert head() == ({1: "damaged", 2: "damaged"}, "replace", [1, 2], [])
    change(line, 5)
    assert head() == ({1: "new", 2: "damaged"}, "replace", [2], [1])
    with line.database.transaction() as session:
        other, _ = insert_changes.record(session, *PLACE[:2], 2, by="ana", at=T0 + timedelta(minutes=6))
    assert head() == ({1: "new", 2: "new"}, "new", [], [1, 2])
    with line.database.transaction() as session:
        insert_changes.withdraw(session, other.id)
    assert head() == ({1: "new", 2: "damaged"}, "replace", [2], [1])
    line.see(1, 10, "intact")
    assert head() == ({1: "intact", 2: "damaged"}, "replace", [2], [])


def test_what_is_not_there_was_not_changed(line) -> None:
    with pytest.raises(LookupError, match="nothing is known of machine mill-1, head head-1, pocket 1"):
        change(line, 0)
    seen(line, 0)
    other = line.see(2, 0)
    for first in (other.capture_id, uuid6.uuid7()):
        with pytest.raises(LookupError, match="is no photograph of machine mill-1"):
            change(line, 5, first=first)
    with pytest.raises(ValueError, match="name of who"):
        change(line, 5, by=" ")
    with pytest.raises(LookupError, match="number 7"), line.database.transaction() as session:
        insert_changes.withdraw(session, 7)
    with line.database.reading() as session:
        assert insert_changes.of_pocket(session, *PLACE) == []


def told(line, minute: float, change_id: UUID | None = None, **said):
    """A change that the connector kept at that minute, written only now."""
    machine, head, pocket = PLACE
    values = {"machine": machine, "head": head, "pocket": pocket, "by": "PLC 1", "change_id": change_id or uuid4()}
    said_at = T0 + timedelta(minutes=minute)
    kept = KeptChange.model_validate({"change": values | said, "said_at": said_at, "via": "broker"})
    with line.database.transaction() as session:
        return external_insert_changes.take(session, kept)


def arriving(line, taken: float, arrives: float) -> None:
    capture = line.capture(1, taken)
    with line.database.transaction() as session:
        captures.record(session, capture, T0 + timedelta(minutes=arrives))
    line.say(capture, "intact")


def test_a_change_that_is_written_late_lies_where_it_was_said(line) -> None:
    seen(line, 0)
    for taken in (30, 90):  # out of an outbox, while the worker was away
        arriving(line, taken, 120)
    first = told(line, 60)
    assert first.refused is None
    assert lives(line) == [[0, 1], [2]]
    # Said twice by two systems it is one change, though a photograph came since.
    assert told(line, 61).at == first.at
    assert lives(line) == [[0, 1], [2]]


def test_what_had_arrived_when_it_was_said_shows_the_old_insert_whatever_its_clock_says(line) -> None:
    seen(line, 0)
    with line.database.transaction() as session:
        ahead = line.capture(1, 14)  # four minutes ahead of the plant
        captures.record(session, ahead, T0 + timedelta(minutes=10))
    line.say(ahead, "intact")
    arriving(line, 20, 21)
    told(line, 12)
    assert lives(line) == [[0, 1], [2]]


def test_a_change_counts_once_by_its_id_and_the_audit_says_who_told(line) -> None:
    seen(line, 0)
    change_id = uuid4()
    first = told(line, 5, change_id)
    assert told(line, 5, change_id) == first
    with line.database.transaction() as session:
        (entry,) = audit.recent(session)
        assert (entry.action, entry.by, entry.detail["change"]) == ("insert changed", "PLC 1 (broker)", str(change_id))
        audited_insert_changes.withdraw(session, insert_changes.last(session, *PLACE).id, by="ana", at=T0)
    # What a person has taken back does not come again with a message that does.
    assert told(line, 5, change_id) == first
    with line.database.reading() as session:
        assert insert_changes.of_pocket(session, *PLACE) == []
    other = told(line, 5, change_id, by="PLC 2")
    assert "needs one of its own" in other.refused


def test_what_cannot_be_is_refused_for_good(line) -> None:
    change_id = uuid4()
    refused = told(line, 5, change_id)
    assert (refused.at, "nothing is known of machine mill-1" in refused.refused) == (None, True)
    seen(line, 6)
    assert told(line, 5, change_id) == refused


def coming(line, arrives: float, outcome: str, *, clock: float = 0, station: str = "st-1", pocket: int = 1) -> UUID:
    """A photograph that is taken and arrives at that minute, by a station whose clock is so many minutes wrong.

    Ids of a station rise with each photograph, however far its clock is set back.
    """
    moment = T0 + timedelta(minutes=arrives)
    values = {"capture_id": id_at(moment), "captured_at": moment + timedelta(minutes=clock), "station": station}
    capture = line.capture(pocket, check_id=uuid6.uuid7(), check_size=1, operation=f"op {arrives}", **values)
    with line.database.transaction() as session:
        captures.record(session, capture, moment)
        verdicts.record(session, line.verdict(capture.capture_id, outcome))
    return capture.capture_id


def shown(line) -> tuple[list[int], str, str]:
    """What is to be replaced, and the words of the board and of MTConnect for the pocket."""
    with line.database.reading() as session:
        listed = [row.pocket for row in replace_list.to_replace(session)]
        [overview] = head_overview.overviews(session, [PLACE[:2]])
        assert overview.answer.replace == listed == [place.pocket for place in replace_list.places_to_replace(session)]
        [insert] = head_now(session, *PLACE[:2]).inserts
    return listed, overview.words[1], item_status(insert)


SEEN = {"damaged": ([1], "damaged", "EXPIRED"), "intact": ([], "intact", "USED"), "new": ([], "new", "NEW")}


@pytest.mark.parametrize("way", [change, told], ids=["a button", "another system"])
@pytest.mark.parametrize(("said", "arrives", "clock"), [(60, 61, -3), (60, 61, -59), (60, 200, -150)])
def test_damage_that_comes_after_a_change_is_on_the_list_though_the_stations_clock_is_behind(
    line, way, said, arrives, clock
) -> None:
    coming(line, 0, "damaged")
    assert shown(line) == SEEN["damaged"]
    way(line, said)
    assert shown(line) == SEEN["new"]
    coming(line, arrives, "damaged", clock=clock)
    assert shown(line) == SEEN["damaged"]
    with line.database.reading() as session:
        assert insert_changes.unseen(session) == replace_list.just_changed(session) == []
    way(line, arrives + 1)  # that one is changed too: the change before was not of it
    assert shown(line) == SEEN["new"]
    with line.database.reading() as session:
        assert len(insert_changes.of_pocket(session, *PLACE)) == 2


@pytest.mark.parametrize("way", [change, told], ids=["a button", "another system"])
@pytest.mark.parametrize("outcome", ["damaged", "intact"])
def test_what_comes_after_a_change_that_lies_ahead_shows_the_new_insert(line, way, outcome) -> None:
    """The clock of who said so was ahead, or all clocks were set back since."""
    old = coming(line, 0, "damaged")
    way(line, 65)
    assert shown(line) == SEEN["new"]
    first = coming(line, 10, outcome)
    assert shown(line) == SEEN[outcome]
    second = coming(line, 20, "damaged")
    assert shown(line) == SEEN["damaged"]
    with line.database.reading() as session:
        rows = pocket_history.of_pocket(session, *PLACE)
    assert [row.capture_id for row in rows] == [second, first, old]
    assert [row.insert_changed_at is not None for row in rows] == [True, True, False]


def test_of_many_that_come_at_once_the_order_is_kept_behind_a_change_that_lies_ahead(line) -> None:
    coming(line, 0, "damaged")
    change(line, 65)
    moments = [T0 + timedelta(minutes=minute) for minute in (10, 11)]
    late = [line.capture(1, captured_at=moment) for moment in moments]
    with line.database.transaction() as session:
        arrivals = [captures.Arrival(capture, moment) for capture, moment in zip(late, moments, strict=True)]
        captures.arrive(session, arrivals)
    with line.database.reading() as session:
        rows = pocket_history.of_pocket(session, *PLACE)
    assert [row.capture_id for row in rows[:2]] == [late[1].capture_id, late[0].capture_id]
    assert all(row.insert_changed_at for row in rows[:2])


def test_no_change_lies_ahead_of_the_database_s_clock_but_behind_what_does(line) -> None:
    coming(line, 0, "damaged")
    begun = datetime.now(UTC)
    kept, _ = change(line, 60 * 24 * 365 * 50)
    assert begun - timedelta(seconds=5) < kept.at < begun + timedelta(minutes=5)
    with line.database.transaction() as session:
        insert_changes.withdraw(session, kept.id)
    assert told(line, 60 * 24 * 365 * 50).at < begun + timedelta(minutes=5)
    years = timedelta(days=365 * 50)
    by_wrong_clocks = line.capture(1, captured_at=T0 + years)
    with line.database.transaction() as session:
        captures.record(session, by_wrong_clocks, T0 + years)
    kept, is_new = change(line, 60)
    assert (kept.at, is_new) == (T0 + years + timedelta(microseconds=1), True)


@pytest.mark.parametrize(("outcome", "word"), [("damaged", "damaged"), ("intact", "new")])
def test_what_another_station_says_it_took_before_shows_no_new_insert_and_hides_no_damage(line, outcome, word) -> None:
    """It waited in that station's outbox and is of the old insert, or its clock is behind and it is of the new one."""
    coming(line, 30, "damaged")
    change(line, 60)
    coming(line, 90, outcome, clock=-75, station="st-2")
    assert shown(line) == SEEN[word]
    # What stands since stays, whatever another one says it photographed before.
    coming(line, 100, "damaged", clock=-45)
    coming(line, 110, "intact", clock=-100, station="st-3")
    assert shown(line) == SEEN["damaged"]


def test_an_old_photograph_without_damage_that_comes_late_is_none_of_the_new_insert(line) -> None:
    coming(line, 0, "damaged")
    change(line, 60)
    coming(line, 62, "intact", clock=-12)
    assert shown(line) == SEEN["new"]


def test_damage_that_was_known_stays_changed_whatever_becomes_of_the_photographs_since(line) -> None:
    """The one after it had not been judged when the insert was changed, and shows nothing."""
    coming(line, 0, "damaged")
    waits = line.see(1, 10, check_size=1)
    change(line, 11)
    assert shown(line) == SEEN["new"]
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(waits.capture_id, "unusable"))
        assert [row.pocket for row in replace_list.to_replace(session)] == []
        assert [each.pocket for each in replace_list.just_changed(session)] == [1]


def test_a_change_of_a_time_before_anything_was_known_hides_nothing(line) -> None:
    """A photograph of hours ago has come since, out of an outbox."""
    coming(line, 10, "damaged", clock=-60)
    told(line, 0)
    with line.database.reading() as session:
        assert session.scalar(select(InsertChanges.known)) is None
    assert shown(line) == SEEN["damaged"]
