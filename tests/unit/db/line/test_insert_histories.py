"""What is known of a pocket's inserts, from rows as the database gives them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from uuid import UUID

import pytest

from db.line.insert_histories import InsertHistory, of_one_pocket

T0 = datetime(2026, 11, 22, tzinfo=UTC)
_numbers = count(1)


def row(outcome: str | None, **changes: object) -> SimpleNamespace:
    """A photograph of the pocket, one operation after the one before."""
    number = next(_numbers)
    probability = {"intact": 0.05, "damaged": 0.95, "unsure": 0.5}.get(outcome or "")
    values: dict[str, object] = {
        **{"capture_id": UUID(int=number), "machine": "m", "head": "h", "pocket": 1, "operation": f"op-{number}"},
        **dict.fromkeys(("insert_designation", "edge", "operations_on_edge", "review", "label", "insert_changed_at")),
        **dict.fromkeys(("wear_mean", "wear_max", "pixels_per_mm")),
        **{"check_id": UUID(int=number), "check_size": 6},
        "ordered_at": T0 + timedelta(hours=number),
    }
    return SimpleNamespace(**(values | {"outcome": outcome, "probability": probability} | changes))


def inserts(*rows: SimpleNamespace, changed_at: datetime | None = None) -> list[InsertHistory]:
    return list(of_one_pocket("m", "h", 1, rows, changed_at))


def words(text: str, **changes: object) -> list[SimpleNamespace]:
    """`i`, `d` and `u`, a photograph each."""
    return [row({"i": "intact", "d": "damaged", "u": "unsure"}[letter], **changes) for letter in text]


def test_an_insert_goes_from_one_told_change_to_the_next_and_counts_its_operations() -> None:
    first, second = words("iid"), words("ii", insert_changed_at=T0)
    old, new = inserts(*first, *second, changed_at=T0)
    assert [look.age for look in old.looks] == [None] * 3
    assert [look.age for look in new.looks] == [1, 2]
    assert [(insert.is_from_new, insert.is_in_use) for insert in (old, new)] == [(False, False), (True, True)]


def test_a_change_that_no_photograph_shows_yet_ends_its_use() -> None:
    rows = words("ii")
    (insert,) = inserts(*rows, changed_at=rows[-1].ordered_at + timedelta(hours=1))
    assert not insert.is_in_use


@pytest.mark.parametrize("late", ["i", "iui"])
def test_a_change_that_is_told_late_was_behind_the_damage(late: str) -> None:
    worn, new = words("iid"), words(late)
    for later in ([], words("ii", insert_changed_at=new[-1].ordered_at + timedelta(minutes=1))):
        old, now = inserts(*worn, *new, *later, changed_at=new[-1].ordered_at + timedelta(minutes=1))
        assert [look.outcome for look in old.looks] == ["intact", "intact", "damaged"]
        assert [look.capture_id for look in now.looks] == [row.capture_id for row in (*new, *later)]
        assert [look.age for look in now.looks] == [*range(1, len(now.looks) + 1)]
        assert [(insert.is_from_new, insert.is_in_use) for insert in (old, now)] == [(False, False), (True, True)]
    named = words("ii", insert_changed_at=(at := T0 + timedelta(days=900)))
    named[0].ordered_at = at
    assert len(inserts(*worn, *new, *named, changed_at=at)[0].looks) == len([*worn, *new]), (
        "a person says from which on"
    )


def test_the_lines_own_count_is_the_age() -> None:
    counted = [row("intact", operations_on_edge=n) for n in (4, 5, 1)]
    old, new = inserts(*counted)
    assert ([look.age for look in old.looks], [look.age for look in new.looks]) == ([4, 5], [1])
    assert [insert.is_from_new for insert in (old, new, *inserts(row("intact", operations_on_edge=1)))] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("operation", [{}, {"operation": "the same"}])
def test_each_check_is_an_operation_whatever_it_is_called_and_a_second_look_is_none(operation: dict[str, str]) -> None:
    new = {"insert_changed_at": T0, **operation}
    before, rows = words("i"), words("iii", **new)
    again = row("intact", **(new | {"operation": rows[-1].operation, "check_id": rows[-1].check_id}))
    by_itself = [row("intact", **(new | {"operation": again.operation, "check_size": 1})) for _ in range(2)]
    alone = words("ii", **new, check_size=1)
    of_head = [look.age for look in inserts(*before, *rows, again, *by_itself, *words("i", **new))[1].looks]
    assert of_head == [1, 2, 3, 3, 3, 3, 4]
    assert [look.age for look in inserts(*before, *alone)[1].looks] == [1, 2], "a head of one pocket"


def test_an_insert_whose_first_photographs_are_gone_is_not_taken_for_new() -> None:
    rows = words("ii", insert_changed_at=T0)
    assert [look.age for look in inserts(*rows)[0].looks] == [None, None]
    named = rows[0].ordered_at
    (insert,) = inserts(*(row("intact", insert_changed_at=named, ordered_at=one.ordered_at) for one in rows))
    assert [look.age for look in insert.looks] == [1, 2]


def test_damaged_looks_and_then_a_run_of_intact_ones_are_a_question_and_nothing_is_concluded() -> None:
    rows = words("iididd" + "uiui" + "i")
    (insert,) = inserts(*rows)
    assert insert.suspected is not None
    assert (insert.suspected.first, insert.suspected.after) == (rows[7].capture_id, rows[6].ordered_at)
    assert (insert.suspected.damaged, insert.suspected.intact) == (2, 3)
    assert not insert.looks
    assert not insert.is_in_use


@pytest.mark.parametrize("reviewed", [None, "broken"])
def test_one_damaged_look_is_enough_to_ask_and_a_review_of_it_as_intact_answers(reviewed: str | None) -> None:
    before, damaged, after = words("ii"), row("damaged", review=reviewed), words("iii")
    (insert,) = inserts(*before, damaged, *after)
    assert insert.suspected is not None
    assert (insert.suspected.first, insert.suspected.damaged) == (after[0].capture_id, 1)
    damaged.review = "intact"
    assert inserts(*before, damaged, *after)[0].suspected is None


@pytest.mark.parametrize(
    ("letters", "is_in_use"), [("iiddii", False), ("iidi", False), ("iidduuu", True), ("iiu", True)]
)
def test_too_short_a_run_is_no_question_yet_but_whether_it_is_the_same_insert_is_not_known(
    letters: str, is_in_use: bool
) -> None:
    (insert,) = inserts(*words(letters))
    assert insert.suspected is None
    assert len(insert.looks) == len(letters)
    assert insert.is_in_use == is_in_use


def test_a_score_that_hardly_fell_is_no_question_and_a_review_answers_one() -> None:
    near = [*words("dd", probability=0.6), *words("iii", probability=0.4)]
    assert inserts(*near)[0].suspected is None
    reviewed = [*words("dd", review="intact"), *words("iii")]
    assert inserts(*reviewed)[0].suspected is None
    told = [*words("dd"), *words("iii", insert_changed_at=T0)]
    assert [insert.suspected for insert in inserts(*told, changed_at=T0)] == [None, None]
