from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.line.check_answers import CheckSummary, PocketState, Trouble, answer, gathered

T0 = datetime(2026, 11, 22, tzinfo=UTC)


def photo(number: int, pocket: int, outcome: str | None, minute: int = 0) -> PocketState:
    return PocketState(UUID(int=number), pocket, T0 + timedelta(minutes=minute), outcome)


def assess(
    size: int, states: Iterable[PocketState], troubles: Iterable[Trouble] = (), *, awaited: bool = True
) -> CheckSummary:
    return answer(size, gathered(states, troubles, size=size), awaited=awaited)


def test_nothing_yet_is_pending() -> None:
    assert assess(3, []) == CheckSummary("pending", (), (), 0)


def test_all_intact_is_go() -> None:
    assert assess(2, [photo(1, 1, "intact"), photo(2, 2, "intact")]) == CheckSummary("go", (), (), 2)


def test_a_missing_pocket_keeps_it_pending_but_the_damage_is_told() -> None:
    assert assess(3, [photo(1, 2, "damaged"), photo(2, 3, "unsure")]) == CheckSummary("pending", (2,), (3,), 2)


def test_a_capture_without_a_verdict_keeps_it_pending() -> None:
    assert assess(2, [photo(1, 1, "intact"), photo(2, 2, None)]) == CheckSummary("pending", (), (), 1)


def test_damage_outranks_review_and_both_are_listed() -> None:
    states = [photo(1, 3, "damaged"), photo(2, 4, "unusable"), photo(3, 2, "damaged"), photo(4, 1, "intact")]
    assert assess(4, states) == CheckSummary("replace", (2, 3), (4,), 4)


@pytest.mark.parametrize("outcome", ["unsure", "unusable"])
def test_what_was_not_decided_is_reviewed(outcome: str) -> None:
    assert assess(1, [photo(1, 5, outcome)]) == CheckSummary("review", (), (5,), 1)


def test_of_a_pocket_captured_twice_the_newest_counts() -> None:
    assert assess(1, [photo(2, 1, "intact", minute=5), photo(1, 1, "damaged")]).state == "go"
    assert assess(1, [photo(2, 1, None, minute=5), photo(1, 1, "damaged")]) == CheckSummary("pending", (), (), 0)


def test_at_the_same_moment_the_later_id_is_the_newest() -> None:
    assert assess(1, [photo(2, 1, "damaged"), photo(1, 1, "intact")]).state == "replace"


def test_a_fault_of_a_pocket_counts_as_review() -> None:
    found = assess(2, [photo(1, 1, "intact")], [Trouble(None, 2)])
    assert found == CheckSummary("review", (), (2,), 2)


def test_a_fault_of_a_capture_is_found_by_the_capture() -> None:
    assert assess(1, [photo(1, 6, None)], [Trouble(UUID(int=1), None)]) == CheckSummary("review", (), (6,), 1)


def test_a_fault_is_over_once_its_capture_was_judged_or_taken_again() -> None:
    fault = Trouble(UUID(int=1), 6)
    assert assess(1, [photo(1, 6, "intact")], [fault]).state == "go"
    assert assess(1, [photo(1, 6, None), photo(2, 6, "intact", minute=1)], [fault]).state == "go"
    assert assess(1, [photo(1, 6, None), photo(2, 6, None, minute=1)], [fault]).state == "pending"


@pytest.mark.parametrize("outcome", ["intact", None])
def test_a_fault_is_not_over_by_a_photograph_of_another_pocket_with_its_id(outcome: str | None) -> None:
    """Of an event that could not be used, which had the id of a photograph that is judged, or will be."""
    judged = [photo(1, 1, "intact"), photo(2, 2, outcome)]
    assert assess(2, judged, [Trouble(UUID(int=2), 1)]).review == (1,)


def test_a_fault_never_hides_damage() -> None:
    found = assess(1, [photo(1, 6, "damaged")], [Trouble(UUID(int=99), 6)])
    assert found == CheckSummary("replace", (6,), (), 1)


def test_a_fault_of_no_known_pocket_may_be_of_any_that_is_judged() -> None:
    trouble, judged = Trouble(None, None), [photo(1, 1, "intact"), photo(2, 3, "damaged")]
    assert assess(3, [], [trouble]) == CheckSummary("pending", (), (3,), 1)
    assert assess(3, [*judged, photo(3, 2, None)], [trouble]) == CheckSummary("pending", (3,), (1,), 2)
    assert assess(3, [*judged, photo(3, 2, "intact")], [trouble]) == CheckSummary("replace", (3,), (1, 2), 3)
    assert assess(1, [photo(1, 5, "intact")], [trouble]) == CheckSummary("review", (), (5,), 1)


_outcomes = st.sampled_from([None, "intact", "damaged", "unsure", "unusable"])


@st.composite
def heads(draw: st.DrawFn) -> tuple[int, dict[int, str | None]]:
    """A size, and outcomes of some of its pockets."""
    size = draw(st.integers(1, 40))
    return size, draw(st.dictionaries(st.integers(1, size), _outcomes, max_size=size))


@given(heads())
def test_the_answer_follows_from_the_pockets_alone(head: tuple[int, dict[int, str | None]]) -> None:
    size, pockets = head
    states = [photo(number, pocket, outcome) for number, (pocket, outcome) in enumerate(pockets.items())]
    found = assess(size, reversed(states))
    judged = {pocket for pocket, outcome in pockets.items() if outcome}
    assert found.judged == len(judged)
    assert set(found.replace) == {pocket for pocket in judged if pockets[pocket] == "damaged"}
    assert set(found.review) == {pocket for pocket in judged if pockets[pocket] in ("unsure", "unusable")}
    assert (found.state == "pending") == (len(judged) < size)
    if found.state == "go":
        assert not found.replace
        assert not found.review


def test_a_check_that_was_given_up_is_review_and_says_what_never_came() -> None:
    found = assess(4, [photo(1, 1, "intact"), photo(3, 3, "intact")], awaited=False)
    assert found == CheckSummary("review", (), (2, 4), 2, (2, 4))


def test_a_check_that_was_given_up_is_review_also_where_an_insert_is_damaged() -> None:
    found = assess(3, [photo(1, 1, "damaged"), photo(2, 2, "unsure")], awaited=False)
    assert found == CheckSummary("review", (1,), (2, 3), 2, (3,))


def test_a_check_that_was_given_up_waits_for_what_is_there_to_be_judged() -> None:
    assert assess(3, [photo(1, 1, "intact"), photo(2, 2, None)], awaited=False).state == "pending"


def test_all_photographed_is_not_incomplete_whatever_was_given_up() -> None:
    assert assess(2, [photo(1, 1, "intact"), photo(2, 2, "intact")], awaited=False) == CheckSummary("go", (), (), 2)
    faulty = assess(2, [photo(1, 1, "intact")], [Trouble(None, 2)], awaited=False)
    assert faulty == CheckSummary("review", (), (2,), 2), "a fault is an answer of its own"


def test_pockets_that_are_not_numbered_from_1_are_never_go() -> None:
    found = assess(2, [photo(9, 9, "intact")], awaited=False)
    assert found == CheckSummary("review", (), (1, 2, 9), 0, (1, 2), "contradiction: pocket 9 of a check of 2")


def test_as_many_pockets_as_the_size_are_not_yet_all_of_them() -> None:
    states = [photo(1, 1, "intact"), photo(3, 3, "intact")]
    reason = "contradiction: pocket 3 of a check of 2"
    assert assess(2, states) == CheckSummary("pending", (), (3,), 1, (), reason)
    assert assess(2, states, awaited=False) == CheckSummary("review", (), (2, 3), 1, (2,), reason)
    assert assess(3, states) == CheckSummary("pending", (), (), 2)


def test_a_pocket_above_the_size_makes_it_review_though_all_are_intact() -> None:
    states = [photo(pocket, pocket, "intact") for pocket in (1, 2, 3, 4)]
    assert assess(2, states) == CheckSummary("review", (), (3, 4), 2, (), "contradiction: pockets 3, 4 of a check of 2")
    states[2] = photo(3, 3, "damaged")
    assert assess(2, states).replace == (3,)
    assert assess(2, [*states, photo(5, 5, None)]).state == "pending", "all that came is judged first"


def test_one_insert_by_itself_may_be_of_any_pocket_and_two_of_them_are_none() -> None:
    assert assess(1, [photo(1, 7, "intact")]) == CheckSummary("go", (), (), 1)
    both = assess(1, [photo(1, 7, "intact"), photo(2, 8, "intact")], awaited=False)
    assert both == CheckSummary("review", (), (1, 7, 8), 0, (1,), "contradiction: pockets 7, 8 of a check of 1")


def test_a_capture_of_another_head_stands_for_no_pocket_of_this_one() -> None:
    states = [photo(1, 1, "intact"), photo(2, 2, "intact")._replace(elsewhere="head B")]
    reason = "contradiction: pocket 2 of head B"
    assert assess(2, states) == CheckSummary("pending", (), (2,), 1, (), reason)
    assert assess(2, states, awaited=False) == CheckSummary("review", (), (2,), 1, (2,), reason)
    assert assess(2, [*states, photo(3, 2, "intact")]) == CheckSummary("review", (), (2,), 2, (), reason)
    assert assess(2, states, [Trouble(UUID(int=2), 2)]).state == "pending", "nor does its fault"


@given(
    st.lists(st.tuples(st.integers(1, 6), _outcomes, st.sampled_from([None, "head B"])), max_size=8),
    st.integers(2, 5),
    st.booleans(),
)
def test_go_means_that_every_pocket_of_the_head_was_judged_intact(
    captures: list[tuple[int, str | None, str | None]], size: int, awaited: bool
) -> None:
    states = [PocketState(UUID(int=n), pocket, T0, of, other) for n, (pocket, of, other) in enumerate(captures)]
    newest = {pocket: outcome for pocket, outcome, other in captures if other is None}
    whole = newest == dict.fromkeys(range(1, size + 1), "intact") and all(other is None for *_, other in captures)
    assert (assess(size, states, awaited=awaited).state == "go") == whole


@given(heads())
def test_an_incomplete_check_is_never_go(head: tuple[int, dict[int, str | None]]) -> None:
    size, pockets = head
    states = [photo(pocket, pocket, outcome) for pocket, outcome in pockets.items()]
    found = assess(size, states, awaited=False)
    assert set(found.missing) == set(range(1, size + 1)) - pockets.keys()
    assert set(found.missing) <= set(found.review)
    if not found.missing:
        assert found == assess(size, states)
    else:
        assert found.state == ("pending" if None in pockets.values() else "review")
