import re
from contextlib import contextmanager
from itertools import count

import pytest
from sqlalchemy import event, func, select, text, update

from db.learning import reviews
from db.learning.review_chances import SAMPLE_ONE_IN
from db.learning.review_chances import drawn as is_drawn
from db.line import verdicts
from db.queries import review_queue
from db.queries.review_queue import NEAR_SHARE
from db.schema.tables import Verdicts


def queue(line, limit: int = 50) -> list[review_queue.ToReview]:
    with line.database.reading() as session:
        return review_queue.queue(session, limit)


def short(found) -> list[tuple[int, str]]:
    return [(each.row.pocket, each.why) for each in found]


def judged(line, pocket: int, minute: float, outcome: str, decision: float | None, drawn: bool = False, model="m-1"):
    """A judged capture; its verdict gets the next number that chance chooses for the sample, or that it does not."""
    capture = line.see(pocket, minute)
    with line.database.transaction() as session:
        last = session.scalar(select(func.max(Verdicts.id))) or 0
        verdicts.record(session, line.verdict(capture.capture_id, outcome, decision=decision, model_id=model))
        number = next(each for each in count(max(last, 1000) + 1) if is_drawn(each) == drawn)
        session.execute(update(Verdicts).where(Verdicts.capture_id == capture.capture_id).values(id=number))
    return capture


@pytest.fixture
def some(line):
    """By pocket: 1 and 2 unsure, 3 and 4 nearest to the threshold, 5 drawn, 6 to 10 confident, 11 not judged."""
    line.model("m-1")
    return {
        1: judged(line, 1, 0, "unsure", None, model=None),
        2: judged(line, 2, 1, "unsure", 0.01),
        3: judged(line, 3, 2, "intact", -0.1),
        4: judged(line, 4, 3, "damaged", 0.2),
        5: judged(line, 5, 4, "intact", -9.0, drawn=True),
        6: judged(line, 6, 5, "intact", -8.0),
        7: judged(line, 7, 6, "damaged", 9.0),
        8: judged(line, 8, 7, "unusable", None),
        11: line.see(11, 8),
    }


def test_the_most_informative_first_and_each_once(line, some) -> None:
    line.say(some[6], "worn")
    line.say(some[7], "intact", by="ben", note="only dirt")
    found = queue(line)
    assert short(found) == [
        (2, "unsure"),
        (1, "unsure"),
        (3, "near the threshold"),
        (4, "near the threshold"),
        (7, "a review disagrees"),
        (6, "a review disagrees"),
        (5, "a sample"),
    ]
    reviewed = [each.review for each in found if each.review]
    assert [(each.by, each.label, each.note) for each in reviewed] == [
        ("ben", "intact", "only dirt"),
        ("ana", "worn", None),
    ]
    for limit in range(1, 8):
        assert queue(line, limit) == found[:limit]


def test_every_tenth_is_of_the_sample_however_much_is_unsure(line) -> None:
    line.model("m-1")
    for pocket in range(1, 25):
        judged(line, pocket, pocket, "unsure", 0.01)
    for pocket in (31, 32, 33):
        judged(line, pocket, 30, "intact", -9.0, drawn=True)
    found = short(queue(line))
    assert len(found) == 27
    assert [place for place, (_, why) in enumerate(found) if why == "a sample"] == [9, 19, 26]


def test_the_sample_is_of_all_outcomes_in_turn_and_what_was_skipped_is_the_next_again(line) -> None:
    line.model("m-1")
    for pocket, outcome in enumerate(["intact"] * 3 + ["damaged"] * 2 + ["unusable"], 1):
        judged(line, pocket, pocket, outcome, None, drawn=True)
    in_turn = [(pocket, "a sample") for pocket in (1, 4, 6, 2, 5, 3)]
    assert short(queue(line)) == in_turn
    judged(line, 7, 7, "intact", None, drawn=True)
    assert short(queue(line)) == [*in_turn, (7, "a sample")], "what is newer waits longer"


def test_what_was_reviewed_is_gone(line, some) -> None:
    for capture in some.values():
        line.say(capture, "unusable")
    assert queue(line) == []


def test_a_second_look_settles_a_disagreement(line, some) -> None:
    for pocket in (1, 2, 3, 4, 5):
        line.say(some[pocket], "unusable")
    line.say(some[6], "worn")
    assert short(queue(line)) == [(6, "a review disagrees")]
    line.say(some[6], "broken", by="ben")
    assert queue(line) == []


@pytest.mark.parametrize("label", ["worn", "broken", "damaged", "unusable"])
def test_a_finer_label_does_not_disagree(line, some, label) -> None:
    line.say(some[7], label)
    assert (7, "a review disagrees") not in short(queue(line))


def test_a_better_model_that_is_sure_takes_a_capture_out(line, some) -> None:
    line.model("m-2")
    with line.database.transaction() as session:
        verdict = line.verdict(some[1].capture_id, "intact", decision=-7.0, model_id="m-2")
        verdicts.record(session, verdict)
    found = short(queue(line))
    assert (1, "unsure") not in found
    assert (1, "near the threshold") in found, "it is the only one of that model"


def test_a_sample_of_unusable_ones_too(line) -> None:
    judged(line, 1, 0, "unusable", None, drawn=True, model=None)
    judged(line, 2, 0, "unusable", None, drawn=False, model=None)
    assert short(queue(line)) == [(1, "a sample")]


def test_an_empty_database_has_nothing_to_look_at(line) -> None:
    assert queue(line) == []


@contextmanager
def recorded(session):
    """The statements that a session sends, with their parameters."""
    sent = []

    def note(connection, cursor, statement, parameters, context, many) -> None:
        sent.append((statement, parameters))

    bind = session.get_bind()
    event.listen(bind, "before_cursor_execute", note)
    yield sent
    event.remove(bind, "before_cursor_execute", note)


def plan(session, statement: str, parameters) -> str:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row[-1] for row in rows)
    # Small tables: which index is the cheaper one hangs on when they were analysed last. Without any sort it does not.
    for means in ("seqscan", "sort", "incremental_sort"):
        session.execute(text(f"SET LOCAL enable_{means} = off"))
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))


def test_lives_and_labels_are_read_by_indexes(line, some, engine_name) -> None:
    line.say(some[6], "worn")
    with line.database.reading() as session:
        with recorded(session) as sent:
            reviews.labelled(session)
            reviews.of_capture(session, some[6].capture_id)
        plans = [plan(session, *each) for each in sent]
    for each in plans:
        assert "Seq Scan" not in each
        if engine_name == "sqlite":
            assert not re.search(r"SCAN (captures|verdicts)\b", each), each
    assert "ix_captures_machine_head_pocket_ordered_at_capture_id" in plans[1]
    assert "ix_reviews_capture_id_id" in plans[-1]


def several(line, outcome: str, decisions, model: str = "m-1", begin: int = 1) -> list[int]:
    """Judged captures with these decision values, none of them drawn; returns the pockets in the order given."""
    line.model(model)
    pockets = list(range(begin, begin + len(decisions)))
    for pocket, decision in zip(pockets, decisions, strict=True):
        judged(line, pocket, pocket, outcome, decision, model=model)
    return pockets


def nearest(line) -> list[int]:
    return [pocket for pocket, why in short(queue(line, 200)) if why == "near the threshold"]


def test_the_nearest_of_each_side_come_first_in_turn(line) -> None:
    several(line, "intact", [-3.0 + 0.1 * number for number in range(20)])
    several(line, "damaged", [5.0 - 0.1 * number for number in range(20)], begin=101)
    assert NEAR_SHARE == 0.1
    assert nearest(line) == [20, 120, 19, 119]


def test_models_are_not_measured_against_each_other(line) -> None:
    several(line, "intact", [-100.0, -50.0], model="wide")
    several(line, "intact", [-0.2, -0.1], model="narrow", begin=11)
    assert nearest(line) == [2, 12]


def test_what_was_reviewed_keeps_its_place_so_that_the_list_ends(line) -> None:
    several(line, "damaged", [float(number) for number in range(10, 30)])
    assert nearest(line) == [1, 2]
    with line.database.reading() as session:
        for row in verdicts.search(session):
            if row.pocket <= 2:
                line.say(row, "worn")
    assert nearest(line) == []


def test_without_a_decision_there_is_no_distance(line) -> None:
    several(line, "intact", [None, None])
    several(line, "unusable", [0.1], begin=5)
    assert nearest(line) == []


def test_a_verdict_that_is_not_in_force_any_more_is_not_looked_at(line, some) -> None:
    line.model("m-2")
    with line.database.transaction() as session:
        for pocket in (3, 5):  # the nearest, and the one that was drawn
            verdicts.record(session, line.verdict(some[pocket].capture_id, "unusable", decision=None, model_id="m-2"))
    assert {pocket for pocket, why in short(queue(line)) if why != "a sample"} == {1, 2, 4}


def test_chance_chooses_one_in_so_many_evenly() -> None:
    assert SAMPLE_ONE_IN == 20
    chosen = [number for number in range(1, 100_001) if is_drawn(number)]
    assert len(chosen) == pytest.approx(100_000 / 20, rel=0.01)
    for pockets in (10, 24, 25, 30, 50):  # every pocket of a head has its turn
        assert len({number % pockets for number in chosen}) == pockets


def test_each_offer_says_its_chance_and_the_review_keeps_it(line, some) -> None:
    offered = {each.row.pocket: each.chance for each in queue(line)}
    assert offered == {2: 1.0, 1: 1.0, 3: None, 4: None, 5: 1 / SAMPLE_ONE_IN}
    said = {pocket: line.say(some[pocket], "worn").chance for pocket in (2, 3, 5, 6, 11)}
    assert said == {2: 1.0, 3: None, 5: 1 / SAMPLE_ONE_IN, 6: None, 11: None}
    line.model("m-2")
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(some[2].capture_id, "intact", model_id="m-2"))
    assert line.say(some[2], "intact").chance == 1.0, "it was offered by the verdict of then"
    with line.database.reading() as session:
        chances = [item.chance for item in reviews.labelled(session)]
    assert sorted(chances, key=str) == sorted([1.0, None, 1 / SAMPLE_ONE_IN, None, None], key=str)
