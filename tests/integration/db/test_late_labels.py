"""Damage that a person sees is not taken away by photographs that came before the person said so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import uuid6
from sqlalchemy import func, select

from db.line import captures, faults, holds, untold_checks, verdicts
from db.line.captures import Arrival
from db.people import audited_insert_changes
from db.queries import head_inserts, head_overview, replace_list
from db.schema.tables import LateLabels
from producer.contract.names import IMPORTED
from tests.database_support import id_at
from tests.integration.db.conftest import T0, Line


class Head:
    """A head of two pockets whose runs are photographed one after the other."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def run(self, minute: float, outcome: str | None = "intact", **changes: Any) -> Any:
        """A run: the photograph of pocket 1 with this outcome, or none yet, and an intact one of pocket 2."""
        of = {"check_id": uuid6.uuid7(), "operation": f"op at {minute}"} | changes
        self.line.see(2, minute, "intact", **of)
        return self.line.see(1, minute + 0.1, outcome, **of)

    def arrive(self, taken: float, minute: float, **changes: Any) -> None:
        """A photograph of pocket 1 by itself, out of an outbox."""
        capture = self.line.capture(1, taken, check_id=uuid6.uuid7(), check_size=1, **changes)
        capture = replace(capture, capture_id=id_at(T0 + timedelta(minutes=minute)))
        with self.line.database.transaction() as session:
            captures.record(session, capture, T0 + timedelta(minutes=minute))
            verdicts.record(session, self.line.verdict(capture.capture_id))

    def say(self, capture: Any, label: str, minute: float, **how: Any) -> None:
        self.line.say(capture, label, at=T0 + timedelta(minutes=minute), **how)

    def judge(self, capture: Any, outcome: str) -> None:
        with self.line.database.transaction() as session:
            verdicts.record(session, self.line.verdict(capture.capture_id, outcome))

    def change(self, minute: float, first: Any = None) -> int:
        at = T0 + timedelta(minutes=minute)
        with self.line.database.transaction() as session:
            of = {"by": "ana", "at": at, "first": first and first.capture_id}
            return audited_insert_changes.record(session, "mill-1", "head-1", 1, **of)[0].id

    def withdraw(self, change: int) -> None:
        with self.line.database.transaction() as session:
            audited_insert_changes.withdraw(session, change, by="ana", at=T0)

    @property
    def shows(self) -> tuple[str, list[Any]]:
        """What the board says, and the photographs of the replace list, of which the places agree."""
        with self.line.database.reading() as session:
            [overview] = head_overview.overviews(session, [("mill-1", "head-1")])
            rows = replace_list.to_replace(session)
            assert replace_list.places_to_replace(session) == [(row.machine, row.head, row.pocket) for row in rows]
            assert overview.answer is not None
            now = head_inserts.head_now(session, "mill-1", "head-1")
            assert now is not None
            assert [insert.pocket for insert in now.inserts if insert.word == "damaged"] == [row.pocket for row in rows]
            return overview.answer.state, [row.capture_id for row in rows]


@pytest.fixture
def head(line: Line) -> Head:
    return Head(line)


@pytest.mark.parametrize("outcome", ["unsure", "intact", "unusable", None])
def test_damage_that_a_person_sees_is_not_taken_away_by_photographs_that_came_before(head, outcome) -> None:
    earlier = head.run(0, outcome)
    head.run(10)
    head.run(20, "unsure")
    head.run(30)
    before = head.shows
    assert before == ("go", [])
    head.say(earlier, "broken", 100)
    assert head.shows == ("replace", [earlier.capture_id])
    with head.line.database.reading() as session:
        now = head_inserts.head_now(session, "mill-1", "head-1")
    assert now is not None
    assert (now.inserts[0].label, now.at) == ("broken", T0 + timedelta(minutes=100))
    head.run(110)
    assert head.shows == ("go", []), "that photograph came after the label"


def test_damage_that_the_model_saw_is_taken_away_by_the_next_photograph(head) -> None:
    earlier = head.run(0, "damaged")
    head.run(10)
    head.say(earlier, "worn", 20)
    assert head.shows == ("go", [])
    head.say(earlier, "broken", 21)
    assert head.shows == ("go", [])


def test_what_came_before_the_label_and_is_judged_after_it_takes_nothing_away(head) -> None:
    earlier = head.run(0, "unsure")
    waits = head.run(10, None)
    head.say(earlier, "broken", 20)
    assert head.shows == ("pending", [earlier.capture_id])
    head.judge(waits, "intact")
    assert head.shows == ("replace", [earlier.capture_id])


def test_what_comes_after_the_label_and_shows_nothing_takes_nothing_away(head) -> None:
    earlier = head.run(0, "unsure")
    of_before = head.run(10)
    head.say(earlier, "broken", 20)
    there = ("replace", [earlier.capture_id])
    waits = head.run(30, None)
    assert head.shows == ("pending", there[1])
    head.judge(waits, "unusable")
    assert head.shows == there
    head.run(40, image_sha256=of_before.image_sha256)
    assert head.shows[1] == there[1], "a photograph of before is not believed"
    stand_in = head.line.capture(1, 50, check_id=uuid6.uuid7(), check_size=1)
    with head.line.database.transaction() as session:
        captures.arrive(session, [Arrival(stand_in, stand_in.captured_at, shows=False)])
        verdicts.record(session, head.line.verdict(stand_in.capture_id, "unusable"))
    failed = head.run(60, None)
    of = {"station": "st-1", "check_id": failed.check_id, "pocket": 1, "reason": "image_missing", "detail": ""}
    with head.line.database.transaction() as session:
        faults.record(session, capture_id=failed.capture_id, event="{}", at=failed.captured_at, **of)
    assert head.shows == there
    head.run(70)
    assert head.shows == ("go", [])


@pytest.mark.parametrize("is_after", [True, False])
@pytest.mark.parametrize("provenance", ["single", "bulk"])
def test_what_is_said_of_a_later_photograph_takes_nothing_away(head, is_after, provenance) -> None:
    """Nobody who says so needs to know of the damage, least of all who confirms a sheet of thumbnails."""
    earlier = head.run(0, "unsure")
    later = head.run(10)
    said = [(earlier, "broken", {}), (later, "intact", {"provenance": provenance})]
    for minute, (capture, label, how) in enumerate(said if is_after else said[::-1], 20):
        head.say(capture, label, minute, **how)
    assert head.shows == ("replace", [earlier.capture_id])


@pytest.mark.parametrize("slip", ["intact", "unusable"])
def test_a_slip_that_is_put_right_behind_a_newer_photograph_is_late(head, slip) -> None:
    """The damage that the model had told was known no more when that was photographed."""
    earlier = head.run(0, "damaged")
    head.say(earlier, slip, 5)
    head.run(10)
    head.say(earlier, "broken", 20)
    assert head.shows == ("replace", [earlier.capture_id])
    head.run(30)
    head.say(earlier, "worn", 40)
    assert head.shows == ("go", []), "that it is damaged was known since the label before"


@pytest.mark.parametrize("station", ["st-1", "st-2"])
def test_what_was_taken_before_it_was_said_and_comes_after_it_takes_nothing_away(head, station) -> None:
    earlier = head.run(0, "unsure")
    if station == "st-2":
        head.run(10)  # by which the other one's place in the order is that of its arrival
    head.say(earlier, "broken", 20)
    there = ("replace", [earlier.capture_id])
    assert head.shows == there
    head.arrive(8 if station == "st-2" else 10, 25, station=station)
    assert head.shows == there
    head.arrive(23, 26)
    assert head.shows == ("go", [])


def test_a_clock_that_is_set_back_holds_nothing_for_ever(head) -> None:
    earlier = head.run(0, "unsure")
    head.say(earlier, "broken", 20)
    head.arrive(-1_000_000, 25)
    assert head.shows == ("go", [])


def test_damage_is_there_again_once_the_photograph_that_ended_it_is_unusable(head) -> None:
    earlier = head.run(0, "unsure")
    head.say(earlier, "broken", 5)
    later = head.run(10)
    other = head.line.see(1, 0, "unsure", head="head-2", check_id=uuid6.uuid7())
    head.say(other, "worn", 20)
    head.say(other, "intact", 20)
    head.say(later, "unusable", 21)
    assert head.shows == ("replace", [earlier.capture_id])


def test_a_label_that_is_taken_back_leaves_the_newest_photograph(head) -> None:
    earlier, between = head.run(0, "unsure"), head.run(5, "unsure")
    head.run(10)
    head.say(between, "worn", 20)
    head.say(earlier, "broken", 21)
    assert head.shows == ("replace", [between.capture_id])
    head.say(between, "unusable", 22)
    assert head.shows == ("replace", [earlier.capture_id])
    head.say(earlier, "intact", 23)
    assert head.shows == ("go", [])
    head.say(earlier, "broken", 24)
    assert head.shows == ("replace", [earlier.capture_id])


def test_a_person_who_says_that_the_insert_was_changed_takes_it_from_the_list(head) -> None:
    earlier = head.run(0, "unsure")
    later = head.run(10)
    head.say(earlier, "broken", 20)
    change = head.change(30)
    assert head.shows == ("new", [])
    with head.line.database.reading() as session:
        assert [one.id for one in replace_list.just_changed(session)] == [change]
    head.withdraw(change)
    assert head.shows == ("replace", [earlier.capture_id])
    change = head.change(31, first=later)
    assert head.shows == ("go", []), "the later photograph shows the new insert"
    head.withdraw(change)
    assert head.shows == ("replace", [earlier.capture_id])


def test_a_label_of_an_insert_that_is_no_longer_there_changes_nothing(head) -> None:
    earlier = head.run(0, "unsure")
    head.change(5)
    head.run(10)
    head.say(earlier, "broken", 20)
    assert head.shows == ("go", [])


def test_later_damage_of_the_model_stands_for_itself(head) -> None:
    earlier = head.run(0, "unsure")
    damaged = head.run(10, "damaged")
    head.say(earlier, "broken", 15)
    assert head.shows == ("replace", [damaged.capture_id])
    head.run(20)
    assert head.shows == ("go", [])
    head.say(earlier, "worn", 30)
    assert head.shows == ("go", []), "what was known of the insert later was taken away by the photograph after it"


def test_a_label_is_later_than_what_is_there_whatever_the_clocks_say(head) -> None:
    earlier = head.run(0, "unsure")
    head.run(10)
    head.say(earlier, "broken", 5)
    assert head.shows == ("replace", [earlier.capture_id])


def test_of_imported_photographs_the_newest_counts(line) -> None:
    earlier = line.see(1, 0, "unsure", machine=IMPORTED)
    line.see(1, 10, "intact", machine=IMPORTED)
    line.say(earlier, "worn")
    with line.database.reading() as session:
        assert replace_list.to_replace(session, IMPORTED) == []


def test_labels_that_count_no_more_are_removed(head) -> None:
    for day in range(3):
        minute = 24 * 60 * 2 * day
        earlier = head.run(minute, "unsure")
        head.say(earlier, "broken", minute + 5)
        head.run(minute + 10)
    with head.line.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LateLabels)) == 1


def test_stations_and_other_systems_are_told(head) -> None:
    earlier = head.run(0, "unsure")
    later = head.run(10)

    def told() -> tuple[list[tuple[str, Any]], set[tuple[int, bool]]]:
        with head.line.database.transaction() as session:
            untold = untold_checks.untold(session)
            held = holds.now(session, untold.revisions.keys())
            untold_checks.remove(session, untold.revisions)
        # Which answer ends a hold: one of a later revision of its check.
        revisions = {check.check_id: check.revision for check in untold.checks}
        return (
            [(check.state, check.check_id) for check in untold.checks],
            {(hold.pocket, hold.check_id, hold.revision >= revisions.get(hold.check_id, 0)) for hold in held},
        )

    told()
    of_both = {(1, earlier.check_id, True), (1, later.check_id, True)}
    head.say(earlier, "broken", 20)
    assert told() == ([("replace", earlier.check_id)], of_both)
    head.say(earlier, "intact", 21)
    answers, held = told()
    assert (answers, held) == ([("go", earlier.check_id), ("go", later.check_id)], set()), "the later go is told last"


def test_damage_is_held_against_a_go_that_is_still_to_come_out_of_an_outbox(head) -> None:
    earlier = head.run(0, "unsure")
    head.say(earlier, "broken", 20)
    with head.line.database.reading() as session:
        [hold] = holds.now(session, ())
    assert (hold.check_id, hold.pocket, hold.at) == (earlier.check_id, 1, T0 + timedelta(minutes=20, microseconds=1))
