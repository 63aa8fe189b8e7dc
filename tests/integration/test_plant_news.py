"""What people say at the line without a message is told by a worker, on a real Redis and both databases."""

from __future__ import annotations

import sys
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from time import sleep
from typing import Any
from uuid import UUID

import pytest

from db.engine.database import Database
from db.learning import reviews
from db.line import check_rows, checks, faults, holds, restored_checks, restores, untold_checks
from db.line.captures import Capture
from db.line.check_rows import NamedCheck
from db.line.untold_checks import Untold
from db.queries import plant_news
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.event import new_id
from producer.contract.news_look import LEASE, LOOKED
from producer.contract.plant_event import PLANT_STREAM
from producer.contract.plant_news import PLANT_ANSWERS, Hold, Restored
from tests.integration.test_incomplete import Plant
from tests.support import RedisProcess
from worker.line.notifier import Notifier
from worker.line.plant_news import LOOK_EVERY, PlantNewsWatch


def test_a_label_of_what_a_pocket_shows_is_told_and_one_of_what_it_showed_before_is_not(
    database: Database, redis_server: RedisProcess
) -> None:
    plant = Plant(database, redis_server)
    watch = PlantNewsWatch(database, plant.notifier)
    _, second, third = (plant.photograph(pocket) for pocket in (1, 2, 3))

    def told() -> list[tuple[str, list[int]]]:
        watch.turn()
        checks = [answer for answer in _said(plant) if isinstance(answer, CheckAnswer)]
        assert [check.revision for check in checks] == sorted({check.revision for check in checks})
        assert all(check.begun_at is not None for check in checks)
        assert len(plant.told()) == len(checks), "its station is told too"
        return [(check.state, check.replace) for check in checks]

    assert told() == []
    _label(database, second, "worn")
    overruled = [("replace", [2])]
    assert told() == told() == overruled
    plant.photograph(2, size=1, check_id=new_id(), image_sha256="e" * 64)
    _label(database, second, "unusable")
    assert told() == overruled, "another photograph shows the pocket by now"
    _label(database, third, "worn")
    with database.reading() as session:
        revisions = untold_checks.untold(session).revisions
    _label(database, third, "intact")  # while it is told
    with database.transaction() as session:
        untold_checks.remove(session, revisions)
    assert told() == [*overruled, ("review", [])]
    unjudged = plant.photograph(1, None, size=2, check_id=new_id(), image_sha256="f" * 64)
    _label(database, unjudged, "intact")
    assert len(told()) == 2, "the check is told when it ends"
    with database.reading() as session:
        assert untold_checks.untold(session) == Untold([], [], [], {})


def test_a_restore_is_told_before_what_is_known_since_and_again_where_a_worker_died(
    database: Database, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it could note it: once for each time, and as the same event."""
    plant = Plant(database, redis_server)
    watch = PlantNewsWatch(database, plant.notifier)
    for pocket in (1, 2, 3):
        plant.photograph(pocket)
    with database.transaction() as session:
        restores.record(session, at=datetime.now(UTC), file="a.sqlite", made_at="2026-11-22T08:00:00.000Z")
        restored_checks.doubt(session)
    with monkeypatch.context() as dies:
        dies.setattr("db.queries.plant_news.note", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            watch.turn()
    watch.turn()
    watch.turn()
    first, doubted, second, again = _said(plant)
    assert isinstance(first, Restored)
    assert first == second
    assert isinstance(doubted, CheckAnswer)
    assert (doubted.state, again) == ("review", doubted)


def test_a_label_that_is_said_while_the_note_of_another_is_removed_is_told(
    database: Database, redis_server: RedisProcess
) -> None:
    plant = Plant(database, redis_server)
    second, third = plant.photograph(2, size=2), plant.photograph(1, size=2)
    _label(database, second, "intact")
    with database.reading() as session:
        revisions = untold_checks.untold(session).revisions
    removing = Event()

    def remove() -> None:
        with database.transaction() as session:
            removing.set()
            untold_checks.remove(session, revisions)

    with ThreadPoolExecutor(1) as beside:
        with database.transaction() as session:
            reviews.add(session, capture_id=third.capture_id, label="broken", by="ana", at=datetime.now(UTC))
            removed = beside.submit(remove)
            if database.url.startswith("postgresql"):  # of two that write, SQLite has the second wait before it begins
                assert removing.wait(30)
                with pytest.raises(TimeoutError):
                    removed.result(0.2)
        removed.result()
    PlantNewsWatch(database, plant.notifier).turn()
    assert [(check.state, check.replace) for check in plant.told()] == [("replace", [1])]


def test_what_a_person_says_of_a_pocket_is_told_of_the_pocket_too(
    database: Database, redis_server: RedisProcess
) -> None:
    """Before the check's answer, and to other systems alone: the station has that answer."""
    plant = Plant(database, redis_server)
    watch = PlantNewsWatch(database, plant.notifier)
    first, second, third = (plant.photograph(pocket, "unsure") for pocket in (1, 2, 3))
    pockets: dict[int, str] = {}

    def told() -> tuple[str, dict[int, str]]:
        watch.turn()
        said = _said(plant)
        pockets.update({one.pocket: one.outcome for one in said if isinstance(one, VerdictAnswer)})
        assert isinstance(said[-1], CheckAnswer)
        assert {type(one) for one in plant.told()} == {CheckAnswer}
        return said[-1].state, pockets

    for capture in (first, second, third):
        _label(database, capture, "intact")
    assert told() == ("go", {1: "intact", 2: "intact", 3: "intact"})
    newer = plant.photograph(2, size=1, check_id=new_id(), image_sha256="e" * 64)
    _label(database, second, "worn")
    assert told() == ("replace", {1: "intact", 2: "damaged", 3: "intact"}), "said behind a newer photograph"
    _label(database, newer, "intact")
    assert told()[1] == {1: "intact", 2: "damaged", 3: "intact"}, "what is said of another one does not end it"


def test_a_look_that_has_ended_is_proved_for_some_seconds_from_its_beginning(
    database: Database, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(database, redis_server)
    watch = PlantNewsWatch(database, plant.notifier)

    def proved() -> int:
        """For how many milliseconds; -2 for none."""
        plant.redis.delete(LOOKED)
        watch.turn()
        return plant.redis.pttl(LOOKED)  # type: ignore[no-any-return]

    assert LEASE * 500 < proved() <= LEASE * 1000
    with monkeypatch.context() as slow:
        slow.setattr("worker.line.plant_news.LEASE", LOOK_EVERY + 0.01)
        slow.setattr(plant_news, "untold", lambda _: sleep(0.02) or [])
        assert proved() == -2, "the next look cannot end in time"
    second = plant.photograph(2)
    _label(database, second, "broken")
    with monkeypatch.context() as few:
        few.setattr(untold_checks, "CHECKS_AT_ONCE", 1)
        assert proved() == -2, "more may be left"
    assert proved() > 0
    silent = Notifier(redis_server.url, plant_length=0)
    plant.redis.delete(LOOKED)
    PlantNewsWatch(database, silent).turn()
    silent.close()
    assert plant.redis.pttl(LOOKED) == -2, "nothing of the line's is told"


def test_a_label_whose_check_does_not_answer_its_head_is_told_itself(
    database: Database, redis_server: RedisProcess
) -> None:
    plant = Plant(database, redis_server)
    watch = PlantNewsWatch(database, plant.notifier)

    def verdicts() -> list[tuple[str, int, str, str | None]]:
        watch.turn()
        answers = [answer for answer in _said(plant) if isinstance(answer, VerdictAnswer)]
        return [(of.head, of.pocket, of.outcome, of.label) for of in answers]

    own, foreign = (plant.photograph(1, size=1, head=head) for head in ("H12", "H13"))
    pending = plant.photograph(1, size=3, check_id=new_id(), image_sha256="e" * 64)
    _label(database, own, "broken")
    said = [("H12", 1, "damaged", "broken")]
    assert verdicts() == said, "behind a newer photograph: of its pocket"
    _label(database, foreign, "unusable")
    _label(database, pending, "broken")
    said += [("H13", 1, "unusable", None), ("H12", 1, "damaged", "broken")]
    assert verdicts() == verdicts() == said
    _label(database, foreign, "intact")
    _label(database, pending, "intact")
    pockets = [("H12", 1, "damaged", "broken"), ("H13", 1, "intact", None)]
    assert verdicts() == [*said, *pockets], "nothing is to be taken away: what the pockets show"


def test_what_a_check_knows_against_a_head_is_told_while_no_answer_says_it(
    database: Database, redis_server: RedisProcess
) -> None:
    plant = Plant(database, redis_server)
    watch = PlantNewsWatch(database, plant.notifier)

    def holds() -> list[tuple[str, int]]:
        watch.turn()
        return [(of.head, of.pocket) for of in _said(plant) if isinstance(of, Hold)]

    def finish(check_id: UUID, failed: Collection[UUID] = ()) -> None:
        with database.transaction() as session:
            checks.finish(session, [check_id], failed=failed)

    first = plant.photograph(1)
    assert holds() == holds() == (said := [("H12", 3)]), "a pocket is awaited that was never seen; it is said once"
    failed = plant.photograph(3, None)
    with database.transaction() as session:
        of_it = {name: getattr(failed, name) for name in ("capture_id", "station", "check_id", "pocket")}
        faults.record(session, reason="image_missing", detail="", event="{}", at=datetime.now(UTC), **of_it)
    assert holds() == (said := [*said, ("H12", 3)]), "at another place in the order: it failed"
    plant.photograph(2, None)
    assert holds() == said, "nothing is awaited, and this is noted where a message ends"
    finish(first.check_id, failed=[first.check_id])
    assert holds() == (said := [*said, ("H12", 3)])
    foreign = new_id()
    for number, (pocket, head) in enumerate(((1, "H13"), (1, "H12"), (2, "H13"))):
        plant.photograph(pocket, size=2, check_id=foreign, head=head, image_sha256=f"f{number:063x}")
    finish(foreign)
    assert plant.state(foreign).state == "review"
    assert holds() == holds() == (said := [*said, ("H12", 1)]), "a photograph of it, though its check is another head's"
    named = NamedCheck(new_id(), "station-1", None, "H12", "op-2", size=0, own_id=new_id())
    with database.transaction() as session:
        check_rows.begin(session, [named], datetime.now(UTC))
    assert holds() == [*said, ("H12", 3)], "an event without a pocket that can be read"


def test_a_check_that_waits_holds_its_head_however_many_have_begun_since(
    database: Database, redis_server: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a gateway that makes a check of each photograph, and says that it has two pockets."""
    monkeypatch.setattr(holds, "CHECKS_AT_ONCE", 2)
    plant = Plant(database, redis_server)
    plant.photograph(1)
    for number in range(3):
        plant.photograph(1, size=2, check_id=new_id(), head="H13", image_sha256=f"f{number:063x}")
    with database.reading() as session:
        held = sorted((of.head, of.pocket) for of in holds.now(session, ()))
    assert held == [("H12", 3), *[("H13", 2)] * 3]


def test_a_label_that_makes_a_photograph_the_one_that_its_pocket_shows_is_told(
    database: Database, redis_server: RedisProcess
) -> None:
    plant = Plant(database, redis_server)
    plant.photograph(1, "damaged", size=1, check_id=new_id(), image_sha256="e" * 64)
    unusable = plant.photograph(1, "unusable", size=1)
    _label(database, unusable, "intact")
    PlantNewsWatch(database, plant.notifier).turn()
    assert [(check.state, check.check_id) for check in plant.told()] == [("go", plant.check)]


def test_a_label_of_an_older_photograph_is_told_while_the_newer_waits(
    database: Database, redis_server: RedisProcess
) -> None:
    plant = Plant(database, redis_server)
    judged = plant.photograph(1, size=1)
    plant.photograph(1, None, size=1, check_id=new_id(), image_sha256="e" * 64)
    _label(database, judged, "broken")
    PlantNewsWatch(database, plant.notifier).turn()
    assert [(check.state, check.check_id) for check in plant.told()] == [("replace", plant.check)]


def _label(database: Database, capture: Capture, word: str) -> None:
    with database.transaction() as session:
        reviews.add(session, capture_id=capture.capture_id, label=word, by="ana", at=datetime.now(UTC))


def _said(plant: Plant) -> list[object]:
    entries: Any = plant.redis.xrange(PLANT_STREAM)
    return [PLANT_ANSWERS.validate_json(fields["answer"]) for _, fields in entries]
