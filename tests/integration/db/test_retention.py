"""What goes and what stays when old photographs and rows are let go, on both engines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uuid6
from sqlalchemy import func, select

from db.learning import model_registry, reviews, snapshots
from db.line import captures, captures_ahead, checks, faults, shadow_verdicts
from db.line import verdicts as verdict_rows
from db.line.captures import Capture
from db.line.shadow_verdicts import ShadowVerdict
from db.queries import pocket_history, review_queue
from db.retention import policy as retention
from db.retention.image_removal import Images, ImagesMissing
from db.retention.policy import Policy
from db.retention.pruning import Pruning
from db.schema.tables import Captures, CapturesAhead, Checks, Faults, ShadowVerdicts, Verdicts
from producer.contract.vocabulary import OUTCOMES
from tests.database_support import id_at, status_of

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LIMIT = NOW - timedelta(days=90)
ALL = dict.fromkeys(OUTCOMES, LIMIT)
IMAGES = Policy(images=ALL, verdicts={})
CHECKS = Policy(images={}, verdicts=ALL)


@dataclass
class Shop:
    """A line with photographs, so many days old."""

    line: Any
    root: Path

    def see(self, outcome: str | None = "intact", days: float = 100, **changes: Any) -> Capture:
        """A capture, and its photograph; in a check of its own unless one is named."""
        captured_at = NOW - timedelta(days=days)
        capture_id = id_at(captured_at)
        values = {"captured_at": captured_at, "check_id": uuid6.uuid7(), "check_size": 1}
        values |= {"capture_id": capture_id, "image": f"st-1/{capture_id}.jpg"}
        capture = self.line.see(outcome=outcome, **(values | changes))
        file = self.root / capture.image
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"jpeg")
        return capture

    def prune(self, policy: Policy) -> Pruning:
        run = Pruning(self.line.database, Images(str(self.root)), policy)
        run.run()
        return run

    def extent(self, policy: Policy) -> retention.Extent:
        with self.line.database.reading() as session:
            return retention.extent(session, policy)

    def has_file(self, capture: Capture) -> bool:
        return (self.root / capture.image).exists()

    def image(self, capture: Capture) -> str | None:
        with self.line.database.reading() as session:
            return session.scalar(select(Captures.image).where(Captures.capture_id == capture.capture_id))

    def count(self, table: Any) -> int:
        with self.line.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def shop(line, tmp_path) -> Shop:
    shop = Shop(line, tmp_path / "images")
    for pocket in range(1, 10):
        shop.see("intact", 1, pocket=pocket)  # today's, so that nothing older is its pocket's newest
    return shop


def fault(shop: Shop, **changes: Any) -> int:
    values: dict[str, Any] = {"capture_id": None, "station": "st-1", "check_id": None, "pocket": None}
    values |= {"reason": "crashed", "detail": "", "event": str(uuid6.uuid7()), "at": NOW - timedelta(days=100)}
    with shop.line.database.transaction() as session:
        return faults.record(session, **(values | changes)).id


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_old_photograph_goes_and_what_was_decided_stays(shop, outcome) -> None:
    old, young = shop.see(outcome, 91), shop.see(outcome, 89)
    others = [shop.see(other, 91) for other in OUTCOMES if other != outcome]
    policy = Policy(images={outcome: LIMIT}, verdicts={})
    found = shop.extent(policy)
    assert (found.images, found.spared, found.sample) == ({outcome: 1}, 0, (old.image,))
    run = shop.prune(policy)
    assert dict(run.gone) == {"images": 1}
    assert not shop.has_file(old)
    assert all(map(shop.has_file, [young, *others]))
    with shop.line.database.reading() as session:
        rows = pocket_history.of_pocket(session, "mill-1", "head-1", 1)
        assert {row.capture_id: row.image for row in rows}[old.capture_id] is None
        assert {row.capture_id: row.image for row in rows}[young.capture_id] == young.image
        assert {row.capture_id: row.outcome for row in rows}[old.capture_id] == outcome
        assert all(check.judged == 1 for check in checks.recent(session))
    assert shop.extent(policy).images == {}
    assert dict(shop.prune(policy).gone) == {}


def reviewed(shop: Shop) -> Capture:
    capture = shop.see("unsure")
    shop.line.say(capture, "worn")
    return capture


def in_a_snapshot(shop: Shop) -> Capture:
    capture = reviewed(shop)
    with shop.line.database.transaction() as session:
        snapshots.take(session, NOW)
    return capture


def newest_of_its_pocket(shop: Shop) -> Capture:
    return shop.see("damaged", pocket=77)


def without_verdict(shop: Shop) -> Capture:
    return shop.see(None)


def with_an_open_fault(shop: Shop) -> Capture:
    capture = shop.see("intact")
    fault(shop, capture_id=capture.capture_id)
    return capture


def with_a_requeued_fault(shop: Shop) -> Capture:
    capture = shop.see("intact")
    number = fault(shop, capture_id=capture.capture_id)
    with shop.line.database.transaction() as session:
        faults.requeue(session, number)
    return capture


def sharing_its_photograph_with_a_needed_one(shop: Shop) -> Capture:
    needed = reviewed(shop)
    return shop.see("intact", pocket=2, check_id=needed.check_id, image=needed.image)


NEEDED = [
    reviewed,
    in_a_snapshot,
    newest_of_its_pocket,
    without_verdict,
    with_an_open_fault,
    with_a_requeued_fault,
    sharing_its_photograph_with_a_needed_one,
]


@pytest.mark.parametrize("needed", NEEDED, ids=lambda each: each.__name__)
def test_what_is_needed_stays_however_old(shop, needed) -> None:
    capture = needed(shop)
    mate = shop.see("intact", pocket=3, check_id=capture.check_id)
    both = Policy(images=ALL, verdicts=ALL)
    assert shop.extent(both).checks == 0
    shop.prune(both)
    assert shop.has_file(capture)
    assert shop.image(capture) == capture.image
    assert shop.image(mate) == "-", "the row stays with its check, its photograph goes"
    assert not shop.has_file(mate)
    with shop.line.database.reading() as session:
        check = status_of(session, capture.check_id)
        assert {capture.capture_id, mate.capture_id} <= set(
            session.scalars(select(Captures.capture_id).where(Captures.check_id == check.check_id))
        )


def test_a_shared_photograph_goes_with_all_that_it_shows(shop) -> None:
    first = shop.see("intact")
    second = shop.see("damaged", pocket=2, check_id=first.check_id, image=first.image)
    shop.prune(Policy(images={"intact": LIMIT}, verdicts={}))
    assert shop.has_file(first), "the other one is to be kept"
    run = shop.prune(IMAGES)
    assert dict(run.gone) == {"images": 1}
    assert [shop.image(each) for each in (first, second)] == ["-", "-"]


def test_an_old_check_goes_with_all_that_belongs_to_it(shop) -> None:
    shop.line.model("m-1")
    first = shop.see("intact")
    second = shop.see("damaged", pocket=2, check_id=first.check_id)
    kept = shop.see("damaged", 10, pocket=2)
    with shop.line.database.transaction() as session:
        verdict_rows.record(session, shop.line.verdict(second.capture_id, "intact", model_id="m-1"))
        shadow_verdicts.record(
            session, [ShadowVerdict(each.capture_id, "m-1", "intact", 0.5, 0.1, NOW) for each in (first, kept)]
        )
    number = fault(shop, check_id=first.check_id, pocket=3)
    with shop.line.database.transaction() as session:
        faults.dismiss(session, number)
    captures_ahead.note(shop.line.database, [first.capture_id, kept.capture_id])
    before = {table: shop.count(table) for table in (Checks, Captures, CapturesAhead, Verdicts, ShadowVerdicts, Faults)}
    assert shop.extent(CHECKS) == retention.Extent(
        images={"intact": 2}, spared=0, checks=1, captures=2, verdicts=3, shadow=0, faults=0,
        sample=shop.extent(CHECKS).sample,
    )  # fmt: skip
    assert dict(shop.prune(CHECKS).gone) == {"images": 2, "checks": 1, "captures": 2}
    gone = {Checks: 1, Captures: 2, CapturesAhead: 1, Verdicts: 3, ShadowVerdicts: 1, Faults: 1}
    assert {table: before[table] - shop.count(table) for table in before} == gone
    assert not any(map(shop.has_file, [first, second]))
    assert shop.has_file(kept)


def test_a_check_goes_by_outcome_only_where_all_of_it_has_that_outcome(shop) -> None:
    intact = shop.see("intact")
    mixed = shop.see("intact", pocket=2)
    shop.see("damaged", pocket=3, check_id=mixed.check_id)
    run = shop.prune(Policy(images={}, verdicts={"intact": LIMIT}))
    assert run.gone["checks"] == 1
    assert shop.image(intact) is None
    assert shop.image(mixed) == mixed.image


def test_a_check_with_an_open_fault_that_names_no_capture_stays(shop) -> None:
    capture = shop.see("intact")
    fault(shop, check_id=capture.check_id, pocket=2)
    assert shop.extent(CHECKS).checks == 0
    assert dict(shop.prune(CHECKS).gone) == {}


def test_a_dismissed_fault_goes_with_its_check_and_not_before(shop) -> None:
    """It is all that says that the pocket was not seen: the check would be a go without it."""
    capture = shop.see("intact")
    number = fault(shop, check_id=capture.check_id, pocket=2)
    with shop.line.database.transaction() as session:
        faults.dismiss(session, number)
    assert shop.prune(Policy({}, {}, faults=LIMIT)).gone == {}
    with shop.line.database.reading() as session:
        assert faults.find(session, number) is not None


def test_shadow_verdicts_and_settled_faults_go_by_age(shop) -> None:
    shop.line.model("m-1")
    shop.line.model("m-2")
    capture = shop.see("intact")
    with shop.line.database.transaction() as session:
        model_registry.start_shadow(session, "m-2", by="ana", reason="", at=NOW)
        for model, days in (("m-1", 91), ("m-2", 91)):
            said = ShadowVerdict(capture.capture_id, model, "intact", 0.5, 0.1, NOW - timedelta(days=days))
            shadow_verdicts.record(session, [said])
    numbers = [fault(shop), fault(shop), fault(shop, at=NOW)]
    with shop.line.database.transaction() as session:
        for number in numbers[1:]:
            faults.dismiss(session, number)
    policy = Policy({}, {}, shadow=LIMIT, faults=LIMIT)
    found = shop.extent(policy)
    assert (found.shadow, found.faults) == (1, 1)
    assert dict(shop.prune(policy).gone) == {"shadow": 1, "faults": 1}
    with shop.line.database.reading() as session:
        assert session.scalars(select(ShadowVerdicts.model_id)).all() == ["m-2"], "that of the one in shadow stays"
        assert {each.id for each in faults.search(session, state=None)} == {numbers[0], numbers[2]}


def test_what_was_begun_is_finished(shop, monkeypatch) -> None:
    """Killed after the mark, or after the file: the row never claims a photograph that may be gone."""
    marked, removed = shop.see("intact"), shop.see("intact", pocket=2)
    real = Images.remove

    def dies_after_one(self, keys):
        real(self, [removed.image])
        raise KeyboardInterrupt

    monkeypatch.setattr(Images, "remove", dies_after_one)
    with pytest.raises(KeyboardInterrupt):
        shop.prune(IMAGES)
    assert [shop.image(each) for each in (marked, removed)] == [f"-{marked.image}", f"-{removed.image}"]
    assert shop.has_file(marked)
    with shop.line.database.reading() as session:
        shown = {row.capture_id: row.image for row in pocket_history.of_pocket(session, "mill-1", "head-1", 1)}
    assert shown[marked.capture_id] is None
    monkeypatch.undo()
    assert shop.extent(IMAGES).images == {"intact": 2}
    run = shop.prune(IMAGES)
    assert dict(run.gone) == {"images": 1, "missing": 1}
    assert [shop.image(each) for each in (marked, removed)] == ["-", "-"]
    assert not shop.has_file(marked)


def test_a_review_that_comes_between_looking_and_taking_keeps_its_photograph(shop, monkeypatch) -> None:
    capture, other = shop.see("intact"), shop.see("intact", pocket=2)
    real = Pruning._remove_images

    def reviewed_now(self, *arguments) -> None:
        shop.line.say(capture, "worn")
        real(self, *arguments)

    monkeypatch.setattr(Pruning, "_remove_images", reviewed_now)
    shop.prune(IMAGES)
    assert shop.has_file(capture)
    assert shop.image(capture) == capture.image
    assert not shop.has_file(other)


def test_a_capture_that_comes_between_looking_and_taking_keeps_its_check(shop, monkeypatch) -> None:
    capture = shop.see("intact")
    real = Pruning._remove_checks

    def arrives_now(self, check_ids) -> None:
        shop.see(None, pocket=2, check_id=capture.check_id)
        real(self, check_ids)

    monkeypatch.setattr(Pruning, "_remove_checks", arrives_now)
    assert dict(shop.prune(CHECKS).gone) == {}
    assert shop.image(capture) == capture.image


def test_without_its_photograph_nothing_is_looked_at_or_learned_from(shop) -> None:
    gone = [shop.see("unsure"), shop.see("intact", pocket=2), shop.see("damaged", pocket=3)]
    shop.prune(IMAGES)
    with shop.line.database.reading() as session:
        queued = {each.row.capture_id for each in review_queue.queue(session, 1000)}
    assert queued
    assert queued.isdisjoint(each.capture_id for each in gone)
    shop.line.say(gone[2], "unusable")
    kept = reviewed(shop)
    with shop.line.database.reading() as session:
        assert [each.capture_id for each in reviews.labelled(session)] == [kept.capture_id]
        assert reviews.newer_than(session, None) == 1
        assert [each.capture_id for each in reviews.recent(session)] == [kept.capture_id, gone[2].capture_id]


def test_a_message_that_comes_again_is_answered_as_before(shop) -> None:
    capture = shop.see("intact")
    shop.prune(IMAGES)
    with shop.line.database.transaction() as session:
        [known] = captures.arrive(session, [captures.Arrival(capture, NOW, tried=True)])
    assert known.verdict is not None
    assert known.verdict.outcome == "intact"


def test_the_wrong_store_is_noticed_before_anything_is_marked(shop, tmp_path) -> None:
    old = shop.see("intact")
    with pytest.raises(ImagesMissing, match="none of the 9 newest photographs is below"):
        Pruning(shop.line.database, Images(str(tmp_path / "elsewhere")), IMAGES).run()
    assert shop.image(old) == old.image


def test_many_pages(shop, monkeypatch) -> None:
    monkeypatch.setattr("db.retention.pruning.CAPTURES_AT_ONCE", 3)
    monkeypatch.setattr("db.retention.pruning.CHECKS_AT_ONCE", 2)
    old = [shop.see(OUTCOMES[number % 4], 100 + number % 3, pocket=number % 9 + 1) for number in range(23)]
    told: list[tuple[str, int]] = []
    policy = Policy(images=ALL, verdicts=ALL)
    Pruning(shop.line.database, Images(str(shop.root)), policy, lambda *each: told.append(each)).run()
    assert not any(map(shop.has_file, old))
    assert shop.count(Captures) == 9
    assert sum(count for what, count in told if what == "images") == 23
    assert max(count for what, count in told if what == "images") <= 3
