import random
from datetime import timedelta

import uuid6
from sqlalchemy import select

from db.line import captures, faults, insert_changes, pockets, verdicts
from db.queries import pocket_history, replace_list
from db.schema.tables import Captures, LateLabels
from producer.contract.names import IMPORTED
from producer.contract.vocabulary import OUTCOME_OF, OUTCOMES
from tests.integration.db.conftest import T0


def to_replace(line, **where: str) -> list[tuple[str, str, int]]:
    with line.database.reading() as session:
        return [(row.machine, row.head, row.pocket) for row in replace_list.to_replace(session, **where)]


def test_only_the_newest_photograph_of_a_pocket_counts(line) -> None:
    line.see(1, 0, "damaged")
    line.see(2, 0, "damaged")
    line.see(3, 0, "intact")
    assert to_replace(line) == [("mill-1", "head-1", 1), ("mill-1", "head-1", 2)]
    line.see(1, 10, "intact")  # a new insert
    line.see(2, 10, "intact")
    line.see(3, 10, "damaged")
    assert to_replace(line) == [("mill-1", "head-1", 3)]
    line.see(3, 5, "intact")  # arrives late
    assert to_replace(line) == [("mill-1", "head-1", 3)]


def test_damage_stays_until_the_newer_photograph_is_judged_or_a_person_has_changed_the_insert(line) -> None:
    """A worker may die in between, and none come after it for a night."""
    for pocket in (1, 2, 3):
        line.see(pocket, 0, "damaged")
    newer = [line.see(pocket, 10) for pocket in (1, 2, 3)]
    line.see(1, 20)
    assert marked(line) == [1, 2, 3]
    with line.database.reading() as session:
        assert {row.outcome for row in replace_list.to_replace(session)} == {"damaged"}
        assert [place.pocket for place in replace_list.places_to_replace(session)] == [1, 2, 3]
    judge(line, newer[0], "intact")
    judge(line, newer[1], "unsure")
    assert marked(line) == [3]
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", 3, by="ana", at=T0 + timedelta(minutes=30))
    assert marked(line) == []


def test_what_waits_for_the_worker_brings_no_insert_back_that_was_changed(line) -> None:
    line.see(1, 0, "damaged")
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", 1, by="ana", at=T0 + timedelta(minutes=5))
    line.see(1, 10)
    assert marked(line) == []


def test_a_better_model_changes_the_answer(line) -> None:
    line.model("m-1")
    capture = line.see(1, 0, "damaged")
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, "intact", model_id="m-1"))
    assert to_replace(line) == []


def test_what_shows_nothing_does_not_hide_damage(line, start) -> None:
    """A photograph that is black, half there or not there at all says nothing of the insert."""
    seen = [line.see(pocket, 0, "damaged", check_size=6) for pocket in range(1, 7)]
    line.see(1, 10, "unusable")
    fault_of(line, line.see(2, 10), start)
    line.see(3, 10, "unusable")
    line.see(3, 20)
    assert marked(line) == [1, 2, 3, 4, 5, 6], "what is not judged yet hides nothing either"
    unread, late = line.see(4, 10), line.see(4, 20, "unusable")
    assert marked(line) == [1, 2, 3, 4, 5, 6]
    judge(line, unread, "unusable")
    assert marked(line) == [1, 2, 3, 4, 5, 6]
    line.say(late, "intact")
    gone = line.see(5, 10)
    fault_of(line, gone, start)
    judge(line, gone, "intact")  # its photograph came after all
    line.see(6, 10, "unusable")
    line.say(seen[5], "intact")
    assert marked(line) == [1, 2, 3]


def test_damage_that_is_found_after_the_unusable_photograph_behind_it_stands(line) -> None:
    first = line.see(1, 0)
    line.see(1, 10, "unusable")
    judge(line, first, "damaged")
    assert marked(line) == [1]


def marked(line) -> list[int]:
    return [pocket for _, _, pocket in to_replace(line)]


def judge(line, capture, outcome: str) -> None:
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, outcome))


def fault_of(line, capture, at) -> None:
    told = {"station": "st-1", "check_id": None, "pocket": capture.pocket, "reason": "image_missing", "detail": ""}
    with line.database.transaction() as session:
        faults.record(session, capture_id=capture.capture_id, event="{}", at=at, **told)


def test_a_review_stands_above_the_verdict(line) -> None:
    wrong = line.see(1, 0, "damaged")
    line.say(wrong, "intact")
    missed = line.see(2, 0, "intact")
    line.say(missed, "worn")
    unjudged = line.see(3, 0)
    line.say(unjudged, "broken")
    dirty = line.see(4, 0, "damaged")
    line.say(dirty, "unusable")
    line.see(5, 0, "damaged")
    with line.database.reading() as session:
        rows = replace_list.to_replace(session)
    assert [(row.pocket, row.outcome, row.review) for row in rows] == [
        (2, "intact", "worn"),
        (3, None, "broken"),
        (5, "damaged", None),
    ]


def test_whatever_happens_in_whatever_order_the_newest_photograph_decides(line, start) -> None:
    rng = random.Random(3)  # noqa: S311 - a muddle, not a secret
    for model in ("m-1", "m-2"):
        line.model(model)
    # Ids rise as the clock does; what arrives is in any order.
    known = [
        line.capture(rng.randint(1, 4), minute, check_size=4)
        for minute in sorted(rng.randint(0, 20) for _ in range(30))
    ]
    rng.shuffle(known)
    recorded: list = []
    for step in range(100):
        if not recorded or (len(recorded) < len(known) and rng.random() < 0.4):
            recorded.append(known[len(recorded)])
            with line.database.transaction() as session:
                captures.record(session, recorded[-1], start + timedelta(hours=1))
        elif rng.random() < 0.7:
            some = rng.sample(recorded, min(len(recorded), 3))
            given = [
                line.verdict(each.capture_id, rng.choice(OUTCOMES), model_id=rng.choice([None, "m-1", "m-2"]))
                for each in some
            ]
            with line.database.transaction() as session:
                verdicts.record_all(session, given)
        else:
            line.say(rng.choice(recorded), rng.choice(list(OUTCOME_OF)))
        if step % 5 == 0:
            assert [pocket for _, _, pocket in to_replace(line)] == damaged(line), step
    assert len(recorded) == len(known)


def damaged(line) -> list[int]:
    """The pockets whose insert is damaged by the newest capture that shows it, by going through all captures.

    All that came before a label that has shown more than the word before it leaves the damage, whatever is said of it.
    """
    newest: dict = {}
    with line.database.reading() as session:
        late = {*session.scalars(select(LateLabels.capture_id))}
        columns = Captures.capture_id, Captures.pocket, Captures.outcome, Captures.review
        stays: set = set()
        for capture_id, pocket, outcome, review in session.execute(
            select(*columns).order_by(Captures.captured_at, Captures.capture_id)
        ):
            word = outcome if review is None else OUTCOME_OF[review]
            if word in (None, "unusable") or (pocket in stays and word != "damaged"):
                continue
            newest[pocket] = word
            stays = stays - {pocket} | ({pocket} if capture_id in late and review and word == "damaged" else set())
    return sorted(pocket for pocket, outcome in newest.items() if outcome == "damaged")


def test_marking_nothing_asks_nothing(line) -> None:
    with line.database.transaction() as session:
        pockets.mark(session.connection(), [])
        pockets.mark(session.connection(), [uuid6.uuid7()])
    assert to_replace(line) == []


def test_in_the_order_of_a_walk_and_by_machine_and_head(line) -> None:
    for machine, head, pocket in (("m2", "a", 1), ("m1", "b", 2), ("m1", "a", 12), ("m1", "a", 3)):
        line.see(pocket, 0, "damaged", machine=machine, head=head)
    assert to_replace(line) == [("m1", "a", 3), ("m1", "a", 12), ("m1", "b", 2), ("m2", "a", 1)]
    assert to_replace(line, machine="m2") == [("m2", "a", 1)]
    assert to_replace(line, head="b") == [("m1", "b", 2)]
    assert to_replace(line, machine="m1", head="a") == [("m1", "a", 3), ("m1", "a", 12)]


def test_of_two_at_the_same_moment_the_later_id_is_the_newest(line) -> None:
    early, late = uuid6.uuid7(), uuid6.uuid7()
    line.see(1, 0, "intact", capture_id=late)
    line.see(1, 0, "damaged", capture_id=early)
    assert to_replace(line) == []


def test_what_was_imported_is_in_no_machine(line) -> None:
    for pocket, label in ((1, "worn"), (2, "intact")):
        line.say(line.see(pocket, 0, "unsure", machine=IMPORTED), label)
    line.see(1, 0, "damaged")
    assert to_replace(line) == [("mill-1", "head-1", 1)]
    assert to_replace(line, head="head-1") == [("mill-1", "head-1", 1)]
    assert to_replace(line, machine=IMPORTED) == [(IMPORTED, "head-1", 1)]
    with line.database.reading() as session:
        assert [row.machine for row in pocket_history.of_pocket(session, "mill-1", "head-1", 1)] == ["mill-1"]
        assert [row.review for row in pocket_history.of_pocket(session, IMPORTED, "head-1", 1)] == ["worn"]
