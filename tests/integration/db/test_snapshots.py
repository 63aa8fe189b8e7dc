from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from db.learning import model_registry, reviews, snapshots
from db.learning.snapshots import Snapshot, digest
from db.schema.tables import SnapshotItems


def take(line, at) -> Snapshot:
    with line.database.transaction() as session:
        return snapshots.take(session, at)


@pytest.fixture
def three(line):
    """Three labelled captures."""
    captures = [line.see(pocket, image_sha256=f"{pocket:064x}") for pocket in (1, 2, 3)]
    for capture, label in zip(captures, ("intact", "worn", "intact"), strict=True):
        line.say(capture, label)
    return captures


def test_a_snapshot_is_the_labelled_set_of_then(line, three, start) -> None:
    taken = take(line, start)
    assert (taken.size, taken.counts, taken.created_at) == (3, {"intact": 2, "worn": 1}, start)
    with line.database.reading() as session:
        then = reviews.labelled(session)
        assert snapshots.items(session, taken.snapshot_id) == then
        assert snapshots.find(session, taken.snapshot_id) == taken
        assert taken.snapshot_id == digest(then)
        assert taken.last_review == max(each.review_id for each in then)
    line.say(three[0], "broken")
    line.say(line.see(4), "intact")
    with line.database.reading() as session:
        assert snapshots.items(session, taken.snapshot_id) == then, "what was said since changes nothing"
        assert reviews.labelled(session) != then


def test_the_same_content_is_the_same_snapshot(line, three, start) -> None:
    first = take(line, start)
    assert take(line, start + timedelta(days=1)) == first
    line.say(three[1], "worn", by="ben")
    assert take(line, start + timedelta(days=2)) == first, "who said it, and how often, is not what training sees"
    line.say(three[1], "intact")
    second = take(line, start + timedelta(days=3))
    assert second.snapshot_id != first.snapshot_id
    line.say(three[1], "worn")
    assert take(line, start + timedelta(days=4)) == first
    with line.database.reading() as session:
        assert snapshots.latest(session) == second


def test_what_training_would_see_differently_is_another_snapshot(line, three) -> None:
    with line.database.reading() as session:
        items = reviews.labelled(session)
    changed = [
        {"label": "broken"},
        {"insert_key": "another"},
        {"image_sha256": "f" * 64},
        {"region": {"left": 1, "top": 2, "width": 3, "height": 4}},
    ]
    names = {digest(items), *(digest([replace(items[0], **change), *items[1:]]) for change in changed)}
    assert len(names) == 5
    assert digest(reversed(items)) == digest(items)
    assert digest([replace(items[0], image="elsewhere.jpg", review_id=99), *items[1:]]) == digest(items)
    assert digest(items[1:]) not in names


def test_a_set_that_was_read_before_is_kept_as_it_was_read(line, three, start) -> None:
    with line.database.reading() as session:
        read = reviews.labelled(session)
    line.say(three[0], "broken")
    with line.database.transaction() as session:
        taken = snapshots.take(session, start, read)
    with line.database.reading() as session:
        assert snapshots.items(session, taken.snapshot_id) == read


def test_many_that_take_it_at_once_have_the_same(line, three, start) -> None:
    together = Barrier(4)

    def one(number: int) -> Snapshot:
        together.wait(30)
        return take(line, start + timedelta(seconds=number))

    with ThreadPoolExecutor(4) as pool:
        found = set(map(str, pool.map(one, range(4))))
    assert len(found) == 1
    with line.database.reading() as session:
        assert session.query(SnapshotItems).count() == 3


def test_an_empty_set_is_a_snapshot_too(line, start) -> None:
    with line.database.reading() as session:
        assert snapshots.latest(session) is None
        assert snapshots.find(session, "ghost") is None
        with pytest.raises(LookupError, match="no snapshot 'ghost'"):
            snapshots.items(session, "ghost")
    taken = take(line, start)
    assert (taken.size, taken.counts, taken.last_review) == (0, {}, 0)
    with line.database.reading() as session:
        assert snapshots.items(session, taken.snapshot_id) == []


def test_a_model_names_the_snapshot_it_saw(line, three, start) -> None:
    taken = take(line, start)
    model = line.model("m-1", snapshot_id=taken.snapshot_id)
    with line.database.reading() as session:
        assert model_registry.find(session, "m-1") == model
        assert snapshots.find(session, model.snapshot_id) == taken
