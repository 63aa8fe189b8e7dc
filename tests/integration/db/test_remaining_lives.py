"""From captures to what is said of remaining lives, on both engines: the job, the command, and what people change."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import uuid6
from structlog.testing import capture_logs

from db.commands.main import main
from db.learning import remaining_lives
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line import insert_changes, verdicts
from producer.contract.vocabulary import SIMULATED_MACHINE
from tests.command_support import invoke
from tests.integration.db.conftest import T0
from worker.learning.remaining_life import fit_lives
from worker.lives.weibull import FEWEST


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")


def run(line, *arguments: object):
    return invoke(main, "--database", line.database.url, "life", *arguments)


def wear(line, pocket: int, ends: list[int], in_use: int, minute: int = 0) -> int:
    """Inserts of a pocket one after the other, found damaged after so many operations, and one in use since."""
    for operations in (*ends, None):
        for number in range(1, (operations or in_use) + 1):
            word = "damaged" if number == operations else "intact"
            check, name = uuid6.uuid7(), f"op-{minute}"
            line.see(pocket, minute, word, operations_on_edge=number, operation=name, check_id=check, check_size=1)
            minute += 1
    return minute


def measured(line, pocket: int, minute: int, operations: int, lasts: int | None) -> int:
    """Operations of one insert, whose land is 90 pixels wide when it ends after `lasts`; None measures nothing."""
    for number in range(1, operations + 1):
        capture = line.see(pocket, minute, operations_on_edge=number, operation=f"op-{minute}", check_id=uuid6.uuid7())
        widths = {} if lasts is None else dict.fromkeys(("wear_mean", "wear_p90", "wear_max"), 90 * number / lasts)
        verdict = line.verdict(capture.capture_id, "damaged" if number == lasts else "intact", **widths)
        with line.database.transaction() as session:
            verdicts.record(session, verdict)
        minute += 1
    return minute


def answers(line) -> dict[int, tuple[int, int]]:
    with line.database.reading() as session:
        return {life.pocket: (life.age, life.operations) for life in remaining_lives.search(session)}


def test_it_is_silent_until_ten_lives_have_ended_and_then_answers_for_those_in_use(line, start) -> None:
    assert "no life was followed yet" in run(line).stdout
    for pocket in (1, 2, 3):
        wear(line, pocket, [4, 6, 5], in_use=2)
    for number, word in enumerate(("intact", "damaged"), start=1):
        line.see(1, number, word, machine=SIMULATED_MACHINE, operations_on_edge=number, check_id=uuid6.uuid7())
    fit_lives(line.database)
    said = run(line).stdout
    assert said.strip() == f"nothing is said before {FEWEST} lives have ended: 9 of 12 lives have, 1 is missing"
    assert json.loads(run(line, "--json").stdout)["fit"]["missing"] == 1

    last = wear(line, 4, [5], in_use=1, minute=100)
    for minute, count in ((150, 1), (151, 5000)):  # a counter that is wrong spoils no other answer
        line.see(5, minute, "intact", operations_on_edge=count, operation=f"op-{minute}", check_id=uuid6.uuid7())
    with capture_logs() as logs:
        result = fit_lives(line.database)
    assert [(entry["pocket"], entry["operations"]) for entry in logs if "operations" in entry] == [(5, 5000)]
    assert result is not None
    assert (result.ended, result.followed) == (10, 14)
    assert result.gap is not None
    assert result.gap < 0.3
    found = json.loads(run(line, "--machine", "mill-1", "--head", "head-1", "--json").stdout)["remaining"]
    assert [(row["pocket"], row["age"]) for row in found] == [(1, 2), (2, 2), (3, 2), (4, 1)]
    assert {row["lives"] for row in found} == {10}
    assert all(0 <= row["low"] < row["operations"] < row["high"] <= 8 for row in found)
    assert "operations, 80 %, 10 lives behind it" in run(line).stdout
    mistyped = run(line, "--head", "another", "--json")
    assert (mistyped.exit_code, mistyped.stdout) == (2, "")
    assert "nothing is known of head another" in mistyped.stderr

    short = json.loads(run(line, "--shift", 6, "--json").stdout)["remaining"]
    assert [row["pocket"] for row in short] == [1, 2, 3, 4]
    assert all(0.5 < row["risk"] <= 1 and row["cost_now"] < row["cost_later"] for row in short)
    assert "now" in run(line, "--shift", 6).stdout
    before = answers(line)

    # What the line sees, and people say, counts at once: one operation more, damage, a change.
    line.see(4, last, "intact", operations_on_edge=2, check_id=uuid6.uuid7())
    line.see(1, 200, "damaged", operations_on_edge=3, check_id=uuid6.uuid7())
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", 2, by="ana", at=start + timedelta(hours=9))
    now = answers(line)
    assert set(now) == {3, 4}
    assert now[3] == before[3]
    assert now[4][0] == 2
    assert now[4][1] < before[4][1] + 1
    # What tells nothing makes no insert older than it was seen; after damage, intact again, nobody knows which it is.
    for number, word in enumerate(("unsure", "unusable"), start=3):
        line.see(4, last + number, word, operations_on_edge=number, check_id=uuid6.uuid7())
    assert answers(line) == now
    fit_lives(line.database)
    assert answers(line)[4][0] == 2
    line.see(3, 201, "damaged", operations_on_edge=3, check_id=uuid6.uuid7())
    line.see(3, 202, "intact", operations_on_edge=4, check_id=uuid6.uuid7())
    assert set(answers(line)) == {4}
    with line.database.reading() as session:
        assert set(remaining_lives.of_head(session, "mill-1", "head-1")) == {4}
    fit_lives(line.database)
    assert set(answers(line)) == {4}


def test_of_a_head_that_is_gone_nothing_is_said_unless_it_is_asked_for(line) -> None:
    curve = SurvivalCurve(tuple(map(float, range(1, 16))))
    for days, head in ((0, "gone"), (8, "here")):
        line.see(1, days * 24 * 60, "intact", head=head)
    lives = [
        RemainingLife("mill-1", head, 1, 3, 9, T0 + timedelta(days=days), curve, curve)
        for days, head in ((0, "gone"), (8, "here"))
    ]
    with line.database.transaction() as session:
        remaining_lives.store(session, LifeFit(T0, followed=30, ended=12, needed=10, new=curve), lives, [])
    with line.database.reading() as session:
        assert [life.head for life in remaining_lives.search(session)] == ["here"]
        assert [life.head for life in remaining_lives.search(session, "mill-1", "gone")] == ["gone"]


def test_where_the_land_is_measured_a_wide_one_lasts_less_long_than_a_narrow_one_of_the_same_age(line) -> None:
    """Ten lives of 6 to 12 operations come to the same width; three inserts have done four, one is not measured."""
    minute = 0
    for pocket, lasts in enumerate((6, 9, 12, 7, 10, 8, 11, 9, 12, 7), start=1):
        minute = measured(line, pocket, minute, lasts, lasts)
    for pocket, lasts in ((1, 6), (2, 12), (3, None)):
        minute = measured(line, pocket, minute, 4, lasts)
    fit_lives(line.database)
    said = answers(line)
    assert {said[pocket][0] for pocket in (1, 2, 3)} == {4}
    fast, slow, unmeasured = (said[pocket][1] for pocket in (1, 2, 3))
    assert fast <= 3 < unmeasured < slow <= 11


def test_a_line_that_counts_nothing_and_calls_each_operation_the_same_is_answered(line) -> None:
    number = 0
    for operations in (1, *(6, 8, 7) * 4, 2):  # of the first nobody knows what it had done before
        for done in range(1, operations + 1):
            word = "damaged" if done == operations > 2 else "intact"
            line.see(1, number, word, check_id=uuid6.uuid7(), operation="op-0815", check_size=6)
            number += 1
        with line.database.transaction() as session:
            at = T0 + timedelta(minutes=number - 0.5)
            insert_changes.record(session, "mill-1", "head-1", 1, by="ana", at=at)
    line.see(1, number, "intact", check_id=uuid6.uuid7(), operation="op-0815", check_size=6)
    line.see(1, number + 1, "intact", check_id=uuid6.uuid7(), operation="op-0815", check_size=6)
    fit_lives(line.database)
    age, operations = answers(line)[1]
    assert age == 2
    assert 3 <= operations <= 6


def test_a_change_that_nobody_told_of_is_asked_about_until_somebody_answers(line) -> None:
    for minute, word in enumerate(("intact", "damaged", "damaged", "intact", "intact", "intact")):
        capture = line.capture(1, minute, check_id=uuid6.uuid7(), operation=f"op-{minute}")
        _record(line, capture, word)
        if minute == 3:
            first = capture.capture_id
    fit_lives(line.database)
    (question,) = json.loads(run(line, "--json").stdout)["suspected"]
    assert (question["first"], question["damaged"], question["intact"]) == (str(first), 2, 3)
    assert f"insert-changed mill-1 head-1 1 --first {first}" in run(line).stdout
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", 1, by="ana", at=capture.captured_at, first=first)
    assert json.loads(run(line, "--json").stdout)["suspected"] == []
    fit_lives(line.database)
    with line.database.reading() as session:
        fit = remaining_lives.fit_in_force(session)
    assert fit is not None
    assert fit.followed == 1, "the age of the first insert is not known, that of the second is"


def _record(line, capture, word: str) -> None:
    from db.line import captures

    probability = 0.9 if word == "damaged" else 0.1
    with line.database.transaction() as session:
        captures.record(session, capture, capture.captured_at)
        verdicts.record(session, line.verdict(capture.capture_id, word, probability=probability))
