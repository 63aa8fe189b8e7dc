"""Histories of a head that were wrong once: they are right, and are seen to be wrong where their mend is taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.integration.db.head_histories.rules import ask
from tests.integration.db.head_histories.stations import How
from tests.integration.db.head_histories.workshop import HEAD
from tests.integration.db.test_head_histories import History

Steps = Sequence[tuple[str, dict[str, Any]]]

GOOD = ("good", {})
IS_TOLD = {
    "the first photograph says another head": [GOOD, ("whole", {"how": How(at=1, flaw="other head")})],
    "one in the middle does, and the check waits": [
        GOOD,
        ("missed", {"missed": {4}, "how": How(at=3, flaw="other head"), "gives_up": False}),
        ("single", {"pocket": 4}),
    ],
    "one cannot be judged, and another is awaited": [
        GOOD,
        ("missed", {"missed": {4}, "how": How(at=2, flaw="fault"), "gives_up": False}),
    ],
    "one cannot be judged, and another is not judged yet": [
        GOOD,
        ("whole", {"how": How(at=2, flaw="fault", fate="worker dies", fate_at=3, one_by_one=True)}),
    ],
    "an earlier run is photographed again while a later one is judged": [
        GOOD,
        ("whole", {"how": How(fate="worker dies", fate_at=4, one_by_one=True)}),
        ("retake", {"of": 5, "how": How(at=3, flaw="damaged")}),
        ("redelivered", {}),
    ],
    "an earlier run gets a stand-in while a later one is judged": [
        GOOD,
        ("whole", {"how": How(fate="worker dies", fate_at=4, one_by_one=True)}),
        ("retake", {"of": 5, "how": How(at=3, flaw="stand-in")}),
        ("redelivered", {}),
    ],
    "a run that had its answer is photographed again and not judged yet": [
        ("gives_up", {"is_after_good": True}),
        ("retake", {"how": How(fate="worker dies"), "is_after_good": False, "of": 0}),
    ],
    "a smaller check is a go while the first of all pockets waits": [
        ("missed", {"missed": {4}, "how": How(fate="lost", fate_at=3, one_by_one=True), "gives_up": False}),
        ("partial", {"size": 3}),
    ],
}


def run(steps: Steps, *, are_two: bool = False) -> None:
    state = History()
    try:
        state.begins(are_two=are_two)
        for name, arguments in steps:
            getattr(state, name)(**arguments)
    finally:
        state.teardown()


@pytest.mark.parametrize("steps", [pytest.param(steps, id=name) for name, steps in IS_TOLD.items()])
def test_what_a_check_knows_and_no_answer_says_is_told(monkeypatch: pytest.MonkeyPatch, steps: Steps) -> None:
    run(steps)
    for what in ("of_checks", "of_earlier_runs"):
        monkeypatch.setattr(f"db.line.holds.{what}", lambda *_: [])
    with pytest.raises(AssertionError, match=r"(systems are shown no|nothing is a) go while"):
        run(steps)


@pytest.mark.parametrize("flaw", ["", "damaged"])
@pytest.mark.parametrize("is_own", [True, False], ids=["in a check of this head", "in another head's"])
def test_a_pocket_that_the_head_does_not_have_holds_it_until_its_insert_is_said_to_be_changed(
    flaw: str, is_own: bool
) -> None:
    state = History()

    def whole() -> tuple[bool, bool]:
        state.stations.operate((1, 2, 3, 4), 4, How(minutes=40))
        state.shop.deliver()
        answers = ask(state.shop, state.truth, HEAD)
        return answers.state == "go", answers.is_go

    try:
        state.begins(register=4)
        assert whole() == (True, True)
        state.stations.operate([1], 4 if is_own else 6, How(minutes=40) if is_own else How(1, "other head", minutes=40))
        state.stations.take_another(state.truth.photos[-1], 6, 4 if is_own else 6, How(6, flaw))
        state.give_up()
        assert whole() == whole() == (False, False)
        state.shop.minute += 1
        state.record_change(6)
        assert whole() == whole() == (True, True)
        state.shop.retained.start(4)
        state.change_withdrawn()
        answers = ask(state.shop, state.truth, HEAD)
        assert (answers.state == "go", answers.is_go) == whole() == (False, False), "it was not changed after all"
    finally:
        state.teardown()


SAID = ("labelled", {"of": 5, "word": "broken"})
UNSURE = ("whole", {"how": How(at=3, flaw="unsure")})
SEEN_LATE = {
    "behind a whole run": ([UNSURE, GOOD, SAID], "late_labels.keep"),
    "behind a run that is not judged yet": (
        [UNSURE, ("whole", {"how": How(fate="worker dies")}), SAID, ("redelivered", {})],
        "holds._of_late_labels",
    ),
    "behind another photograph of the same run": (
        [UNSURE, ("retake", {"of": 1}), ("labelled", {"of": 2, "word": "broken"})],
        "holds._of_late_labels",
    ),
    "as the model's sheet is confirmed": ([UNSURE, GOOD, SAID, ("confirmed_in_bulk", {})], "late_labels.keep"),
    "as a slip is put right": (
        [("whole", {"how": How(at=3, flaw="damaged")}), ("labelled_right_at_last", {"of": 1})],
        "late_labels.keep",
    ),
    "and one of before comes out of the outbox": ([("said_while_another_is_in_the_outbox", {})], "late_labels.keep"),
    "and it comes behind one by a clock that was ahead": (
        [GOOD, ("clock_set_right", {"pocket": 1, "flaw": ""}), ("said_while_another_is_in_the_outbox", {})],
        "late_labels.keep",
    ),
}


@pytest.mark.parametrize(("steps", "mend"), SEEN_LATE.values(), ids=SEEN_LATE)
def test_damage_that_a_person_sees_late_is_no_go(monkeypatch: pytest.MonkeyPatch, steps: Steps, mend: str) -> None:
    run(steps, are_two=True)
    monkeypatch.setattr(f"db.line.{mend}", lambda *_: [])
    with pytest.raises(AssertionError, match="no photograph of since shows it"):
        run(steps, are_two=True)


def test_a_go_comes_back_once_what_a_person_saw_late_is_over() -> None:
    state = History()

    def is_go() -> tuple[bool, bool]:
        state.compare()
        answers = ask(state.shop, state.truth, HEAD)
        return answers.state == "go", answers.is_go

    try:
        state.begins(register=4)
        for steps in ([("labelled", {"of": 5, "word": "intact"})], [GOOD]):
            for name, arguments in (UNSURE, GOOD, SAID):
                getattr(state, name)(**arguments)
            assert is_go() == (False, False)
            for name, arguments in steps:
                getattr(state, name)(**arguments)
            assert is_go() == (True, True), steps
    finally:
        state.teardown()


def test_photographs_are_put_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [("missed_while_lost", {"pocket": 3, "clock": 30})]
    run(steps)
    monkeypatch.setattr("db.line.captures.put_in_order", lambda *_: {})
    with pytest.raises(AssertionError, match="the board shows no GO unless"):
        run(steps)


def test_damage_beside_a_photograph_of_a_clock_ahead_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [GOOD, ("clock_set_right", {"pocket": 3})]
    run(steps, are_two=True)
    monkeypatch.setattr("db.line.captures_ahead.note_in", lambda *_: None)
    with pytest.raises(AssertionError, match="the replace list has all damage"):
        run(steps, are_two=True)


UNKNOWN_SINCE = [
    ("backed_up", {}),
    ("restored", {"is_after_good": True}),
    ("counted", {"pockets": {1, 3}, "how": How(fate="worker dies")}),
]
"""A head was photographed for the first time after the backup."""


def test_what_was_told_of_a_head_that_a_backup_does_not_know_is_no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    run(UNKNOWN_SINCE)
    monkeypatch.setattr("db.line.restores.last_news", lambda _: None)
    with pytest.raises(AssertionError, match="nothing is a go while"):
        run(UNKNOWN_SINCE)


@pytest.mark.parametrize("of", [0, 5], ids=["of its newest run", "of the run before"])
def test_a_station_believes_what_it_is_told_of_the_checks_of_a_backup(monkeypatch: pytest.MonkeyPatch, of: int) -> None:
    """It goes by their numbers alone, and the clock is behind."""
    again = ("retake", {"of": of, "how": How(at=4 if of == 0 else 3, flaw="damaged")})
    steps = [GOOD, GOOD, ("backed_up", {}), ("restored", {}), again]
    run(steps)
    monkeypatch.setattr("db.line.check_revisions.put_above", lambda *_: None)
    with pytest.raises(AssertionError, match="a station was told of its check"):
        run(steps)
