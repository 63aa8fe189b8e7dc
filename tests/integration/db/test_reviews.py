from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import uuid6
from sqlalchemy import exc, select

from db.learning import reviews, snapshots
from db.line import faults, photographs, verdicts
from db.schema.tables import Captures, Reviews
from producer.contract.names import IMPORTED
from producer.contract.reasons import stations
from producer.contract.vocabulary import LABELS


def standing(line, capture) -> str | None:
    with line.database.reading() as session:
        return session.scalar(select(Captures.review).where(Captures.capture_id == capture.capture_id))


def labelled(line) -> list[reviews.Labelled]:
    with line.database.reading() as session:
        return reviews.labelled(session)


def test_the_newest_review_counts_and_none_is_lost(line, start) -> None:
    capture = line.see(outcome="intact")
    assert standing(line, capture) is None
    first = line.say(capture, "worn", note="  crater on the rake face ")
    second = line.say(capture, "intact", by="ben", at=start - timedelta(days=3))
    assert (first.label, first.by, first.note) == ("worn", "ana", "crater on the rake face")
    assert second.note is None
    assert standing(line, capture) == "intact", "the one that came last, whatever its clock said"
    with line.database.reading() as session:
        assert reviews.of_capture(session, capture.capture_id) == [second, first]
        assert reviews.of_capture(session, uuid6.uuid7()) == []


def test_of_two_people_who_say_something_at_once_the_second_is_told(line, start) -> None:
    at_once = Barrier(2)
    for _ in range(4):
        capture = line.see(outcome="intact")

        def say(by: str, capture=capture) -> str:
            at_once.wait()
            try:
                return line.say(capture, "worn" if by == "ana" else "intact", by=by, seen=0).by
            except reviews.Overtaken as error:
                return f"after {error.by}"

        with ThreadPoolExecutor(2) as people:
            said = sorted(people.map(say, ("ana", "ben")))
        assert said in (["after ana", "ana"], ["after ben", "ben"])


def test_what_is_said_again_because_its_answer_was_lost_is_one_review(line) -> None:
    capture = line.see(outcome="intact")
    first = line.say(capture, "worn", seen=0)
    assert line.say(capture, "worn", seen=0) == first
    assert line.say(capture, "worn", seen=first.id).id > first.id, "said once more by who has seen it"
    for how in ({"label": "broken"}, {"label": "worn", "note": "look again"}):
        with pytest.raises(reviews.Overtaken):  # a program with a token of the same account has not seen it
            line.say(capture, seen=0, **how)


@pytest.mark.parametrize("label", LABELS)
def test_every_label(line, label) -> None:
    assert line.say(line.see(), label).label == label


def test_of_what_nobody_saw_a_person_says_that_it_is_unusable_and_no_more(line, start) -> None:
    stand_in, dark, removed = line.see(1), line.see(2), line.see(3, outcome="intact")
    missing, crashed = line.see(4), line.see(5)
    reasons = {stand_in: stations.NO_PHOTOGRAPH(problem="the camera does not answer"), dark: "it is dark"}
    with line.database.transaction() as session:
        for capture, reason in reasons.items():
            verdicts.record(session, line.verdict(capture.capture_id, "unusable", reason=reason))
        photographs.mark(session, [removed.capture_id])
        of = {"station": "st-1", "check_id": line.check_id, "detail": "", "event": "{}", "at": start}
        for capture, reason in ((missing, "image_missing"), (crashed, "crashed")):
            faults.record(session, capture_id=capture.capture_id, pocket=capture.pocket, reason=reason, **of)
    nothing = ((stand_in, "handed in no photograph"), (removed, "was removed"), (missing, "could not be read"))
    for capture, why in nothing:
        for label in LABELS:
            if label != "unusable":
                with pytest.raises(reviews.NobodySaw, match=why):
                    line.say(capture, label)
        assert line.say(capture, "unusable").label == "unusable"
    for capture in (dark, crashed):
        assert line.say(capture, "intact").label == "intact", "a person sees more than a model"


def test_what_cannot_be_a_review_is_refused(line, start) -> None:
    capture = line.see()
    with pytest.raises(LookupError, match="not recorded"):
        line.say(line.capture(), "worn")
    with pytest.raises(ValueError, match="intact, worn, broken, damaged, unusable"):
        line.say(capture, "good")
    with pytest.raises(ValueError, match="the name of who says it"):
        line.say(capture, "worn", by=" ")
    with pytest.raises(exc.StatementError, match="offset"):
        line.say(capture, "worn", at=datetime(2026, 1, 1))  # noqa: DTZ001
    with line.database.reading() as session:
        assert reviews.recent(session) == []
    assert standing(line, capture) is None


def test_odd_text_is_made_to_fit(line) -> None:
    said = line.say(line.see(), "worn", by="x" * 500, note="a\x00b" + "n" * 9_000)
    assert len(said.by) == 120
    assert said.note is not None
    assert said.note.startswith("a\\x00b")
    assert len(said.note) == reviews.MAX_NOTE
    assert line.say(line.see(), "worn", note=" ").note is None


def test_the_database_itself_knows_the_labels(line, start) -> None:
    capture = line.see()
    with pytest.raises(exc.IntegrityError, match="label"), line.database.transaction() as session:
        session.add(Reviews(capture_id=capture.capture_id, label="good", by="ana", at=start))
    with pytest.raises(exc.IntegrityError, match="review"), line.database.transaction() as session:
        session.get_one(Captures, capture.capture_id).review = "good"


def test_of_many_at_once_the_one_with_the_highest_id_counts(line, start) -> None:
    capture = line.see()
    together = Barrier(6)

    def say(number: int) -> reviews.Review:
        together.wait(30)
        return line.say(capture, LABELS[number % 2], by=f"person {number}")

    with ThreadPoolExecutor(6) as pool:
        said = sorted(pool.map(say, range(6)), key=lambda each: each.id)
    with line.database.reading() as session:
        assert reviews.of_capture(session, capture.capture_id) == said[::-1]
    assert standing(line, capture) == said[-1].label


def test_recent_ones(line, start) -> None:
    one, two = line.see(1), line.see(2)
    a = line.say(one, "worn", at=start)
    b = line.say(two, "intact", by="ben", at=start + timedelta(hours=1))
    with line.database.reading() as session:
        assert reviews.recent(session) == [b, a]
        assert reviews.recent(session, limit=1) == [b]
        assert reviews.recent(session, before=b.id) == [a]
        assert reviews.recent(session, by="ana") == [a]
        assert reviews.recent(session, since=start + timedelta(minutes=1)) == [b]
        assert reviews.recent(session, capture_id=one.capture_id) == [a]


def test_the_labelled_set_has_what_training_needs(line, start) -> None:
    region = {"left": 1, "top": 2, "width": 30, "height": 40}
    plain, boxed, unlabelled = line.see(1), line.see(2, region=region, station="st-2"), line.see(3)
    line.say(boxed, "worn")
    line.say(plain, "broken", at=start)
    said = line.say(plain, "intact", at=start + timedelta(days=1))
    first, second = labelled(line)
    assert (first.capture_id, second.capture_id) == (plain.capture_id, boxed.capture_id)
    assert first.label == "intact"
    assert first.review_id == said.id
    assert (first.image, first.image_sha256, first.captured_at) == (plain.image, plain.image_sha256, plain.captured_at)
    assert (second.region, second.station, second.machine) == (region, "st-2", "mill-1")
    assert first.insert_key == f"mill-1/head-1/1/{plain.capture_id}"
    assert unlabelled.capture_id not in {first.capture_id, second.capture_id}


def test_lives_are_seen_through_captures_that_nobody_labelled(line) -> None:
    old = line.see(1, 0, "intact")
    line.see(1, 1, "damaged")
    new = line.see(1, 2, "intact")
    newer = line.see(1, 3, "intact")
    for capture in (newer, old, new):
        line.say(capture, "intact")
    lives = {each.capture_id: each.insert_key for each in labelled(line)}
    assert lives[old.capture_id] == f"mill-1/head-1/1/{old.capture_id}"
    assert lives[new.capture_id] == lives[newer.capture_id] == f"mill-1/head-1/1/{new.capture_id}"


def test_a_review_stands_above_the_verdict_in_a_life_too(line) -> None:
    captures = [line.see(1, minute, outcome) for minute, outcome in enumerate(("intact", "damaged", "intact"))]
    for capture in captures:
        line.say(capture, "intact")
    assert len({each.insert_key for each in labelled(line)}) == 1
    line.say(captures[1], "broken")
    assert len({each.insert_key for each in labelled(line)}) == 2


def test_an_imported_group_is_one_life(line) -> None:
    for minute, label in enumerate(("worn", "intact", "broken", "intact")):
        line.say(line.see(77, minute, "unsure", machine=IMPORTED), label)
    assert len({each.insert_key for each in labelled(line)}) == 1


def test_how_many_labels_a_snapshot_does_not_know(line, start) -> None:
    def newer(snapshot_id: str | None) -> int:
        with line.database.reading() as session:
            return reviews.newer_than(session, snapshot_id)

    assert newer(None) == 0
    captures = [line.see(pocket) for pocket in (1, 2, 3, 4)]
    for capture in captures[:2]:
        line.say(capture, "intact")
    with line.database.transaction() as session:
        name = snapshots.take(session, start).snapshot_id
    assert (newer(None), newer(name)) == (2, 0)
    line.say(captures[0], "intact")
    assert newer(name) == 0, "said again is not new"
    line.say(captures[1], "worn")
    line.say(captures[2], "intact")
    line.say(captures[2], "worn")
    assert (newer(None), newer(name)) == (3, 2)
    line.say(captures[1], "intact")
    assert newer(name) == 1
    with pytest.raises(LookupError, match="no snapshot 'ghost'"):
        newer("ghost")
