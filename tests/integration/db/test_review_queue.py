import re
from contextlib import contextmanager

import pytest
import uuid6
from sqlalchemy import event, text

from db import review_queue, reviews, verdicts
from db.review_queue import SAMPLE_ONE_IN, _drawn


def queue(line, limit: int = 50) -> list[review_queue.ToReview]:
    with line.database.reading() as session:
        return review_queue.queue(session, limit)


def short(found) -> list[tuple[int, str]]:
    return [(each.row.pocket, each.why) for each in found]


def an_id(drawn: bool):
    """A capture id that chance chooses for the sample, or one that it does not."""
    return next(each for each in iter(uuid6.uuid7, None) if _drawn(each) == drawn)


def judged(line, pocket: int, minute: float, outcome: str, decision: float | None, drawn: bool = False, model="m-1"):
    capture = line.see(pocket, minute, capture_id=an_id(drawn))
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, outcome, decision=decision, model_id=model))
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
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL enable_sort = off"))
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))


def test_what_a_queue_costs_does_not_grow_with_the_database(line, some, engine_name) -> None:
    """Every table is read by an index, and none is sorted as a whole: only windows of it are."""
    line.say(some[6], "worn")
    with line.database.reading() as session:
        with recorded(session) as sent:
            review_queue.queue(session)
        plans = [plan(session, *each) for each in sent]
    everything = "\n".join(plans)
    assert "ix_captures_unanswered" in plans[0]
    assert "TEMP B-TREE" not in plans[0]
    assert everything.count("ix_captures_outcome_captured_at_capture_id") >= 3
    if engine_name == "sqlite":
        scans = re.findall(r"SCAN (\w+)(.*)", everything)
        assert {name for name, _ in scans} <= {"reviews", "anon_1"}, "reviews from their end, and windows"
    else:
        assert "Seq Scan" not in everything


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
    assert "ix_captures_machine_head_pocket_captured_at_capture_id" in plans[1]
    assert "ix_reviews_capture_id_id" in plans[-1]


def test_the_share_that_chance_chooses() -> None:
    assert SAMPLE_ONE_IN == 50
