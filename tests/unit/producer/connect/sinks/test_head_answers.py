"""What the answers to the checks of one head come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from producer.connect.sinks.head_answers import HeadAnswers
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.event import new_id
from producer.contract.plant_event import plant_event
from producer.contract.plant_news import Hold, InsertChangeAnswer
from producer.contract.reasons.stations import MISSING
from producer.contract.vocabulary import CheckState

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
RUNS = {name: new_id() for name in "ABCD"}

Said = tuple[str, int, int, int, CheckState, Sequence[int]]
"""A check's name, its size, the minute at which it began, a revision, and what it says."""


def _say(number: int, said: Said, head: HeadAnswers, unvouched: int = 0) -> str:
    """What the head shows after an answer: the check's name and its state. Nobody vouches up to a number."""
    name, size, minute, revision, state, pockets = said
    answer = CheckAnswer(
        check_id=RUNS[name],
        machine="mill-1",
        head="H12",
        operation="op-1",
        size=size,
        state=state,
        replace=[*pockets],
        review=[*range(6, 51)] if size == 50 else [],
        missing=[*range(6, 51)] if size == 50 else [],
        revision=revision,
        begun_at=NOON + timedelta(minutes=minute),
    )
    head.take((number, plant_event("p", "station-1", answer, 0.0)))
    last = head.last(lambda answer: answer[0] > unvouched)
    if last is None or not isinstance(last[1].data, CheckAnswer):
        return ""
    return f"{next(name for name, run in RUNS.items() if run == last[1].data.check_id)} {last[1].data.state}"


@pytest.mark.parametrize(
    ("declared", "dialogue"),
    [
        pytest.param(
            None,
            [
                (("A", 5, 1, 1, "replace", [2]), "A replace"),
                (("B", 1, 3, 1, "replace", [3]), "A replace"),
                (("A", 5, 1, 2, "go", []), "B replace"),  # pocket 3 is damaged by its newest photograph
                (("B", 1, 3, 2, "go", []), "A go"),  # a person has overruled it
            ],
            id="a photograph's answer counts until a later run has its pocket",
        ),
        pytest.param(
            None,
            [
                (("A", 5, 1, 1, "replace", [5]), "A replace"),
                (("B", 1, 3, 1, "replace", [2]), "A replace"),
                (("C", 5, 2, 1, "go", []), "B replace"),
                (("D", 5, 4, 1, "go", []), "D go"),
            ],
            id="a run that began before it has not",
        ),
        pytest.param(
            None,
            [
                (("A", 5, 1, 1, "go", []), "A go"),
                (("B", 1, 2, 1, "replace", [3]), "B replace"),
                (("C", 1, 3, 1, "go", []), "B replace"),  # of another pocket, for all that it says
                (("C", 1, 3, 2, "replace", [3]), "C replace"),
                (("D", 1, 4, 1, "replace", [4]), "D replace"),
                (("D", 1, 4, 2, "go", []), "C replace"),
            ],
            id="nor has a photograph of another pocket",
        ),
        pytest.param(
            None,
            [
                (("A", 5, 1, 1, "replace", [5]), "A replace"),
                (("B", 2, 2, 1, "go", []), "A replace"),
                (("C", 5, 3, 1, "go", []), "C go"),
            ],
            id="a run of fewer pockets says nothing of the rest",
        ),
        pytest.param(
            None,
            [
                (("A", 2, 1, 1, "review", [3]), "A review"),  # a photograph of pocket 3 in a check of two
                (("B", 2, 2, 1, "go", []), "A review"),
                (("C", 3, 3, 1, "go", []), "C go"),
            ],
            id="nor one of as many that names a pocket beyond them",
        ),
        pytest.param(None, [(("B", 1, 1, 1, "go", []), "")], id="a photograph is no go of a head"),
        pytest.param(
            1,
            [
                (("A", 1, 1, 1, "go", []), "A go"),
                (("B", 1, 2, 1, "replace", [1]), "B replace"),
                (("C", 1, 3, 1, "go", []), "C go"),
                (("D", 1, 4, 1, "replace", [2]), "D replace"),  # of a pocket that the register does not know
                (("A", 1, 5, 1, "go", []), "D replace"),
            ],
            id="it is where the register says that it has one",
        ),
        pytest.param(
            5,
            [
                (("A", 2, 1, 1, "go", []), ""),
                (("B", 50, 2, 1, "review", []), "B review"),  # a mistyped size: photographs of 6 to 50 are missing
                (("C", 5, 3, 1, "go", []), "C go"),
                (("D", 2, 4, 1, "go", []), "D go"),  # beside a run of all that still counts
            ],
            id="a run is whole that has as many pockets as the register says",
        ),
    ],
)
def test_no_go_is_shown_while_an_answer_counts_that_is_none(
    declared: int | None, dialogue: list[tuple[Said, str]]
) -> None:
    head = HeadAnswers(declared)
    for number, (said, shown) in enumerate(dialogue, 1):
        assert _say(number, said, head) == shown, said


def test_a_go_is_shown_beside_one_of_the_whole_head_alone_and_all_that_count_are_vouched_for() -> None:
    dialogues: list[list[tuple[Said, str]]] = [
        [
            (("A", 5, 1, 1, "go", []), ""),
            (("B", 2, 2, 1, "go", []), ""),  # what was said of pockets 3 to 5 since is lost
            (("C", 5, 3, 1, "go", []), "C go"),
        ],
        [
            (("A", 1, 6, 1, "go", []), ""),  # its `replace` is lost
            (("B", 5, 4, 1, "go", []), ""),
            (("C", 1, 7, 1, "replace", [3]), "C replace"),
            (("D", 5, 8, 1, "go", []), "D go"),
        ],
    ]
    for dialogue in dialogues:
        head = HeadAnswers(None)
        for number, (said, shown) in enumerate(dialogue, 1):
            assert _say(number, said, head, unvouched=1) == shown, said


def test_a_changed_insert_leaves_its_head_no_state_until_a_run_that_began_after_it_has_its_pocket() -> None:
    head = HeadAnswers(None)

    def change(number: int, pocket: int, minute: int, *, withdrawn: bool = False) -> bool:
        said = InsertChangeAnswer(
            change_id=new_id(),
            machine="mill-1",
            head="H12",
            pocket=pocket,
            by="ana",
            via="",
            at=NOON + timedelta(minutes=minute),
            withdrawn=withdrawn,
        )
        return head.take((number, plant_event("p", "", said, 0.0)))

    def shown() -> str | int | None:
        last = head.last(lambda _: True)
        return last and (last[1].data.pocket if isinstance(last[1].data, InsertChangeAnswer) else last[1].data.kind)

    assert _say(1, ("A", 5, 10, 1, "go", []), head) == "A go"
    assert change(2, 5, 12)
    assert shown() == 5
    assert _say(3, ("A", 5, 10, 2, "replace", [1]), head) == "A replace"
    assert _say(4, ("A", 5, 10, 3, "go", []), head) == "", "of the same run, which has the former insert"
    for number, said in enumerate((("B", 4, 13, 1, "go", []), ("C", 1, 14, 1, "go", []), ("D", 5, 11, 1, "go", [])), 5):
        assert _say(number, said, head) == "", said  # without the pocket, of one that nobody knows, begun before it
    assert _say(8, ("D", 5, 15, 2, "go", []), head) == "D go"
    assert not change(9, 5, 12), "it is told late, and the run has the new insert"
    assert change(10, 2, 16)
    assert not change(11, 2, 12, withdrawn=True), "another one"
    assert shown() == 2
    assert change(12, 2, 16, withdrawn=True)
    assert shown() == "check"
    assert change(13, 2, 16)
    assert change(14, 2, 17), "recorded twice"
    assert change(15, 2, 17, withdrawn=True)
    assert shown() == 2, "the first still stands"


def test_a_verdict_that_is_not_intact_leaves_its_head_no_state_until_its_check_or_a_later_run_is_answered() -> None:
    head = HeadAnswers(None)

    def verdict(number: int, run: str, pocket: int, minute: int) -> bool:
        said = VerdictAnswer(
            capture_id=new_id(),
            check_id=RUNS[run],
            machine="mill-1",
            head="H12",
            pocket=pocket,
            outcome="damaged",
            judged_at=NOON + timedelta(minutes=minute),
        )
        return head.take((number, plant_event("p", "station-1", said, 0.0)))

    def shown() -> str:
        last = head.last(lambda _: True)
        assert last is not None
        return last[1].data.kind

    assert _say(1, ("A", 4, 10, 1, "go", []), head) == "A go"
    assert verdict(2, "A", 3, 11), "a photograph of the run that nobody expected: it is pending again"
    assert shown() == "insert_change", "that is no state"
    assert _say(3, ("A", 4, 10, 2, "replace", [3]), head) == "A replace"
    assert not verdict(4, "A", 3, 11), "by another worker, behind the answer that knows of it"
    assert _say(5, ("A", 4, 10, 3, "go", []), head) == "A go", "a person has overruled it"
    assert verdict(6, "B", 4, 13), "of a run whose first photograph names another head"
    for number, said in enumerate((("C", 4, 12, 1, "go", []), ("A", 4, 10, 4, "go", []), ("D", 3, 14, 1, "go", [])), 7):
        assert _say(number, said, head) == "", said  # begun before it, as is that run, without the pocket
    assert _say(10, ("D", 4, 14, 2, "go", []), head) == "D go"
    assert not verdict(11, "B", 4, 13), "it is told late"
    assert verdict(12, "C", 4, 15)
    assert shown() == "insert_change"
    assert _say(13, ("C", 4, 12, 2, "go", []), head) == "D go", "it is answered, and another photograph is intact"


def test_a_hold_leaves_its_head_no_state_until_a_later_answer_of_its_check_or_a_later_run() -> None:
    head = HeadAnswers(None)

    def hold(number: int, run: str, pocket: int, minute: int, revision: int | None = None) -> bool:
        at = NOON + timedelta(minutes=minute)
        said = Hold(check_id=RUNS[run], machine="mill-1", head="H12", pocket=pocket, at=at, revision=revision)
        return head.take((number, plant_event("p", "", said, 0.0)))

    assert _say(1, ("A", 4, 10, 1, "go", []), head) == "A go"
    assert hold(2, "A", 5, 10, 1), "a fifth pocket is awaited since"
    assert _say(1, ("A", 4, 10, 1, "go", []), head) == ""
    assert _say(3, ("A", 5, 10, 2, "go", []), head) == "A go"
    assert not hold(4, "A", 5, 10, 1), "by another worker, behind the answer that came to know better"
    assert hold(5, "B", 3, 12), "of another head's check"
    for number, said in enumerate((("B", 4, 13, 9, "go", []), ("C", 2, 14, 1, "go", []), ("D", 5, 11, 1, "go", [])), 6):
        assert _say(number, said, head) == "", said  # its own check, without the pocket, begun before it
    assert _say(9, ("D", 5, 15, 2, "go", []), head) == "D go"
    assert not hold(10, "B", 3, 12), "it is told late"


def test_an_answer_that_is_told_once_more_is_no_later_one() -> None:
    head = HeadAnswers(None)
    go: Said = ("A", 5, 12, 1, "go", [])
    assert _say(1, go, head) == "A go"
    assert _say(2, ("B", 5, 3, 1, "replace", [2]), head) == "B replace"
    assert _say(1, go, head) == "B replace"
    assert len(head.counting) == 2


def _against(number: int, said: Hold | VerdictAnswer | InsertChangeAnswer, head: HeadAnswers) -> bool:
    return head.take((number, plant_event("p", "", said, 0.0)))


def _hold(run: str, pocket: int, minute: int, revision: int | None = None) -> Hold:
    at = NOON + timedelta(minutes=minute)
    return Hold(check_id=RUNS[run], machine="mill-1", head="H12", pocket=pocket, at=at, revision=revision)


def _change(pocket: int, minute: int) -> InsertChangeAnswer:
    of = {"change_id": new_id(), "machine": "mill-1", "head": "H12", "pocket": pocket, "by": "ana", "via": ""}
    return InsertChangeAnswer(**of, at=NOON + timedelta(minutes=minute))


def test_an_older_hold_that_comes_later_does_not_take_the_place_of_a_newer_one() -> None:
    head = HeadAnswers(None)
    assert _say(1, ("A", 4, 10, 4, "go", []), head) == "A go"
    assert _against(2, _hold("A", 2, 12, 7), head)
    assert not _against(3, _hold("A", 2, 11, 5), head), "a worker was paused before it said it"
    assert _say(4, ("A", 4, 10, 6, "go", []), head) == ""
    assert _say(5, ("A", 4, 10, 8, "go", []), head) == "A go"
    assert _against(6, _hold("B", 3, 20), head)
    assert not _against(7, _hold("B", 3, 5), head), "of another head's check"
    assert _say(8, ("C", 4, 15, 1, "go", []), head) == ""
    assert _say(9, ("D", 4, 25, 1, "go", []), head) == "D go"


@pytest.mark.parametrize("said", ["hold", "verdict", "check"])
def test_a_photograph_beyond_what_the_register_says_counts_until_its_insert_is_said_to_be_changed(said: str) -> None:
    """A head's name was mistyped in a run of a larger one. The board shows the pocket until then."""
    head = HeadAnswers(4)
    if said == "check":
        assert _say(1, ("B", 4, -5, 1, "replace", [12]), head) == "B replace"
    else:
        of = {"capture_id": new_id(), "check_id": RUNS["B"], "machine": "mill-1", "head": "H12", "pocket": 12}
        damaged = VerdictAnswer(**of, outcome="damaged", judged_at=NOON)
        _against(1, _hold("B", 12, 0) if said == "hold" else damaged, head)
    unchanged = "B replace" if said == "check" else ""
    assert _say(2, ("A", 4, 2, 1, "go", []), head) == unchanged, "no run can see the pocket"
    assert _against(3, _change(12, 3), head)
    assert _say(4, ("A", 4, 2, 2, "go", []), head) == unchanged, "of before it"
    assert _say(5, ("C", 2, 4, 1, "go", []), head) == unchanged, "not of the whole head"
    assert _say(6, ("D", 4, 5, 1, "go", []), head) == "D go"


def test_a_hold_by_a_check_of_too_large_a_size_ends_with_the_next_whole_run() -> None:
    head = HeadAnswers(4)
    assert _against(1, _hold("B", 12, 0, 1), head), "its own check waits for the pocket"
    assert _say(2, ("C", 2, 1, 1, "go", []), head) == ""
    assert _say(3, ("A", 4, 2, 1, "go", []), head) == "A go"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [(MISSING(pockets=[5]), "D go"), ("it is blurred: clean the lens", "B replace")],
    ids=["stand-in", "photograph"],
)
def test_a_stand_in_for_what_is_no_pocket_counts_until_the_next_whole_run(reason: str, shown: str) -> None:
    """A stray file in a watched folder makes its check one pocket larger than the head."""
    head = HeadAnswers(4)
    of = {"capture_id": new_id(), "check_id": RUNS["B"], "machine": "mill-1", "head": "H12", "pocket": 5}
    assert _against(1, VerdictAnswer(**of, outcome="unusable", reason=reason, judged_at=NOON), head)
    assert _say(2, ("B", 5, 0, 1, "replace", [5]), head) == "B replace"
    kept = HeadAnswers(4)
    for answer in sorted(head.counting, key=lambda one: one[0]):
        kept.take(answer)  # as a connector that is started anew
    assert _say(3, ("C", 2, 1, 1, "go", []), kept) == "B replace", "not of the whole head"
    assert _say(4, ("D", 4, 5, 1, "go", []), kept) == shown
    assert len(kept.counting) == (1 if shown == "D go" else 2)
