from collections import Counter
from itertools import islice

import pytest

from benchmarks import reviews_and_faults
from benchmarks.history import seen
from benchmarks.records import CAPTURE_COLUMNS, VERDICT_COLUMNS

CAPTURES = 60_000


def rows(seed: int = 1, captures: int = CAPTURES) -> dict[str, list[tuple]]:
    made, plant = reviews_and_faults.People(captures, seed), seen(1)
    found: dict[str, list[tuple]] = {}
    while block := list(islice(plant, min(20_000, captures - len(found.get("captures", []))))):
        for table, _, some in made.rows_of(block):
            found.setdefault(table, []).extend(some)
    return found


@pytest.fixture(scope="module")
def made():
    return rows()


def column(name: str, columns=VERDICT_COLUMNS) -> int:
    return columns.index(name)


def test_the_same_seed_says_the_same_and_another_seed_another():
    assert rows(1, 3_000) == rows(1, 3_000)
    assert rows(1, 3_000) != rows(2, 3_000)


def test_every_capture_is_judged_and_some_were_judged_before_by_the_model_before(made):
    current = [row for row in made["verdicts"] if row[column("current")]]
    assert [row[0] for row in current] == [row[0] for row in made["captures"]]
    before = [row for row in made["verdicts"] if not row[column("current")]]
    assert len(before) == pytest.approx(CAPTURES * 3 / 4 * reviews_and_faults.JUDGED_AGAIN, rel=0.2)
    judged = {row[0]: row[column("model_id")] for row in current}
    assert all(row[column("model_id")] != judged[row[0]] for row in before)


def test_the_line_begins_without_a_model_and_then_has_one_after_the_other(made):
    models = [row[column("model_id")] for row in made["verdicts"] if row[column("current")]]
    without = int(reviews_and_faults.WITHOUT_MODEL * CAPTURES)
    assert models[: without // 2].count(None) > without // 2 - 10, "all but the unusable"
    assert None not in models[without:]
    order = list(dict.fromkeys(model for model in models if model))
    assert order == list(reviews_and_faults.MODELS)


def test_what_waits_for_a_person_is_of_the_last_hours(made):
    outcome, review = column("outcome", CAPTURE_COLUMNS), len(CAPTURE_COLUMNS)
    waiting = [n for n, row in enumerate(made["captures"]) if row[outcome] == "unsure" and row[review] is None]
    assert 10 < len(waiting) < 50
    assert min(waiting) >= CAPTURES - reviews_and_faults.NOT_DONE
    open_faults = [row for row in made["faults"] if row[-1] == "open"]
    assert len(open_faults) < 10
    assert len(made["faults"]) == pytest.approx(reviews_and_faults.FAULTY * CAPTURES, rel=0.6)


def test_reviews_agree_mostly_and_the_newest_is_the_capture_s(made):
    outcome, review = column("outcome", CAPTURE_COLUMNS), len(CAPTURE_COLUMNS)
    said = {row[0]: row[1] for row in made["reviews"]}
    assert said == {row[0]: row[review] for row in made["captures"] if row[review] is not None}
    labels = Counter((row[outcome], row[review]) for row in made["captures"] if row[review] is not None)
    assert 0 < labels["intact", "worn"] < labels["intact", "intact"] / 5
    assert {label for verdict, label in labels if verdict == "unsure"} == {"intact", "worn", "broken", "unusable"}
