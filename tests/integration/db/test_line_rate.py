from itertools import count

import pytest
from sqlalchemy import func, select, update

from db.learning.review_chances import drawn as is_drawn
from db.line import verdicts
from db.queries.line_rate import FEWEST, FEWEST_EACH, LineRate, line_rate
from db.schema.tables import Verdicts
from producer.contract.names import IMPORTED


@pytest.fixture
def judged(line):
    """Record so many verdicts of one outcome, chosen by chance or not, and reviews with these labels of the first."""
    pockets = count(1)

    def record(number: int, outcome: str, *labels: str, drawn: bool = False, **changes) -> None:
        for place in range(number):
            capture = line.see(next(pockets), 0, **changes)
            with line.database.transaction() as session:
                last = session.scalar(select(func.max(Verdicts.id))) or 0
                verdicts.record(session, line.verdict(capture.capture_id, outcome))
                free = next(each for each in count(last + 1) if is_drawn(each) == drawn)
                session.execute(update(Verdicts).where(Verdicts.capture_id == capture.capture_id).values(id=free))
            if place < len(labels):
                line.say(capture, labels[place])

    return record


def rate(line) -> LineRate:
    with line.database.reading() as session:
        return line_rate(session)


def test_each_review_by_chance_counts_for_as_many_verdicts_as_it_stands_for(line, judged) -> None:
    judged(60, "intact")
    judged(20, "intact", *["intact"] * 18, "worn", "broken", drawn=True)
    judged(5, "damaged", *["damaged"] * 4, "intact", drawn=True)
    judged(15, "unsure", *["worn"] * 5, *["intact"] * 5)
    # 80 · 2/20 + 5 · 4/5 + 15 · 5/10 of 100
    assert rate(line) == LineRate(pytest.approx(0.195), 35, 100)


def test_what_was_reviewed_for_another_reason_or_imported_does_not_count(line, judged) -> None:
    judged(30, "intact", *["intact"] * 30, drawn=True)
    before = rate(line)
    assert before == LineRate(0.0, 30, 30)
    judged(10, "unsure", *["worn"] * 10, machine=IMPORTED)
    assert rate(line) == before
    judged(10, "intact", *["worn"] * 10)
    assert rate(line) == LineRate(0.0, 30, 40), "a sheet of what looked damaged says nothing of the others"


def test_a_photograph_that_shows_no_insert_is_no_part_of_it(line, judged) -> None:
    judged(31, "intact", *["intact"] * 30, "unusable", drawn=True)
    judged(9, "unusable", *["intact"] * 9, drawn=True)
    assert rate(line) == LineRate(0.0, 30, 31)


@pytest.mark.parametrize(("intact", "damaged"), [(FEWEST - FEWEST_EACH - 1, FEWEST_EACH), (FEWEST, FEWEST_EACH - 1)])
def test_few_reviews_tell_no_rate(line, judged, intact: int, damaged: int) -> None:
    judged(intact, "intact", *["intact"] * intact, drawn=True)
    judged(damaged, "damaged", *["worn"] * damaged, drawn=True)
    assert rate(line) == LineRate(None, intact + damaged, intact + damaged)


def test_nothing_is_known_of_an_empty_line(line) -> None:
    assert rate(line) == LineRate(None, 0, 0)
