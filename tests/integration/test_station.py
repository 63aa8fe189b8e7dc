"""A station and its outbox on a real Redis, with a small worker of the test's own that answers."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from producer.commands import publish
from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer, station_entry
from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK, CaptureEvent, Region, new_id, node
from producer.contract.json_schema import schema_text
from producer.contract.vocabulary import CheckState, Outcome
from producer.delivery.outbox import Outbox
from producer.delivery.outbox_room import OutboxFull
from producer.station import head_check
from producer.station.declared_heads import DeclaredHeads
from producer.station.folder_camera import FolderCamera
from producer.station.head_check import Photograph, run_check
from producer.station.station import Station
from producer.storage.folder import FolderStore
from tests.forked_commands import start_command
from tests.support import RedisProcess, photograph, wait_until

MESSAGE = jsonschema.Draft202012Validator(json.loads(schema_text("message")))
WHERE: dict[str, Any] = {"machine": "mill-3", "head": "H12", "operation": "op-1"}


class Place:
    def __init__(self, folder: Path, redis_server: RedisProcess):
        self.images = FolderStore(folder / "images")
        self.outbox = Outbox(folder / "outbox.db")
        self.redis_server = redis_server
        self.redis = redis_server.client()

    def station(self, **options: Any) -> Station:
        return Station("station-1", self.images, self.outbox, self.redis_server.url, **options)

    def submit(self, station: Station, **changes: Any) -> CaptureEvent:
        fields: dict[str, Any] = {"machine": "mill-3", "head": "H12", "pocket": 7, "operation": "op-1"}
        return station.submit(photograph(), **{**fields, "check_id": new_id(), "check_size": 1, **changes})

    def signal_redis(self, number: int, pid: int = 0) -> int:
        pid = pid or int(self.redis.info("server")["process_id"])  # type: ignore[index]
        os.kill(pid, number)
        return pid

    def queued(self) -> int:
        return int(self.redis.llen(INSPECT_QUEUE))  # type: ignore[arg-type]

    def next_message(self) -> list[CaptureEvent]:
        """Take a message from the queue, as a worker would: its events."""
        _, raw = self.redis.brpop([INSPECT_QUEUE], timeout=60)  # type: ignore[misc]
        message = json.loads(raw)
        assert message["headers"]["task"] == INSPECT_TASK
        assert message["content-type"] == "application/json"
        (argument,), named, _ = json.loads(base64.b64decode(message["body"]))
        assert named == {}
        MESSAGE.validate(argument)
        events = [CaptureEvent.from_message(each) for each in (argument if isinstance(argument, list) else [argument])]
        if len(events) == 1:
            assert isinstance(argument, dict), "an event alone is no list"
        captures = {str(event.capture_id) for event in events}
        assert (message["headers"]["id"] in captures) == (len(events) == 1)
        return events

    def next_event(self) -> CaptureEvent:
        """The event of the next message, which has one."""
        (event,) = self.next_message()
        return event

    def answer(self, answer: VerdictAnswer | FaultAnswer | CheckAnswer) -> None:
        self.redis.xadd("verdicts:station-1", station_entry(answer))  # type: ignore[arg-type]

    def intact(self, event: CaptureEvent) -> VerdictAnswer:
        return VerdictAnswer(
            capture_id=event.capture_id,
            check_id=event.check_id,
            machine=event.machine,
            head=event.head,
            pocket=event.pocket,
            outcome="intact",
            judged_at=datetime.now(UTC),
        )

    def go(self, event: CaptureEvent) -> CheckAnswer:
        return CheckAnswer(
            check_id=event.check_id,
            machine=event.machine,
            head=event.head,
            operation=event.operation,
            size=event.check_size,
            state="go",
        )

    @contextmanager
    def worker(self, lost_goes: int = 0) -> Iterator[None]:
        """Answers every event with `intact`, and every check with `go`, until the block ends.

        The first `lost_goes` of the latter are never told.
        """
        done: dict[Any, int] = {}
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                if not self.queued():
                    stop.wait(0.01)
                    continue
                for event in self.next_message():
                    self.answer(self.intact(event))
                    done[event.check_id] = done.get(event.check_id, 0) + 1
                    if done[event.check_id] >= event.check_size + lost_goes:
                        self.answer(self.go(event))

        thread = threading.Thread(target=work)
        thread.start()
        yield
        stop.set()
        thread.join()


@pytest.fixture
def place(tmp_path: Path, redis_server: RedisProcess) -> Iterator[Place]:
    place = Place(tmp_path, redis_server)
    yield place
    place.outbox.close()


def test_a_submitted_capture_is_queued_and_forgotten_when_it_is_answered(place: Place) -> None:
    with place.station() as station:
        event = place.submit(station)
        assert place.next_event() == event
        assert place.images.get(event.image, 10**6) == photograph()
        assert len(place.outbox) == 1
        place.answer(place.intact(event))
        assert station.wait_for([event.capture_id], 10)[event.capture_id].answer.kind == "verdict"
        wait_until(lambda: len(place.outbox) == 0)


def test_what_waits_is_sent_in_groups_in_its_order(place: Place) -> None:
    waiting = place.station()  # it does not send yet
    events = [place.submit(waiting, pocket=pocket) for pocket in range(1, 31)]
    with place.station() as station:
        assert station.flush(10)
    messages = [place.next_message() for _ in range(place.queued())]
    assert [len(message) for message in messages] == [7, 8, 7, 8]
    assert [event for message in messages for event in message] == events
    assert [entry.attempts for entry in place.outbox.waiting()] == [1] * 30
    assert station.metrics.registry.get_sample_value("inserts_station_sent_total", {"station": "station-1"}) == 30


def test_what_is_handed_in_together_leaves_as_one_message_of_each_check(place: Place) -> None:
    """However small the groups are; what comes afterwards leaves as always."""
    checks = new_id(), new_id()
    with place.station(group=2) as station:
        with station.together():
            for pocket in range(1, 7):
                place.submit(station, pocket=pocket, check_id=checks[pocket == 3], check_size=6)
        messages = [place.next_message(), place.next_message()]
        assert [[event.pocket for event in message] for message in messages] == [[1, 2, 4, 5, 6], [3]]
        place.submit(station)
        assert len(place.next_message()) == 1


def test_a_head_that_a_watched_folder_shows_again_leaves_as_one_message(place: Place, tmp_path: Path) -> None:
    """Its check was answered before: so it is no go again before all of it is judged."""
    folder = tmp_path / "camera"
    (folder / "mill-3/H12/op-1").mkdir(parents=True)

    def show(first_seed: int) -> None:
        for pocket in range(1, 7):
            (folder / f"mill-3/H12/op-1/{pocket}.jpg").write_bytes(photograph(seed=first_seed + pocket))
        assert camera.sweep(lambda _: None) is False

    with place.station() as station:
        camera = FolderCamera(folder, station, place.outbox, DeclaredHeads(6, None), settled_after=0.0)
        show(0)
        first: list[CaptureEvent] = []
        while len(first) < 6:
            first += place.next_message()
        for event in first:
            place.answer(place.intact(event))
        wait_until(lambda: not len(place.outbox))
        show(10)
        again = place.next_message()
        assert [event.pocket for event in again] == [1, 2, 3, 4, 5, 6]
        assert {event.check_id for event in again} == {first[0].check_id}


def test_a_group_of_one_is_a_message_for_each(place: Place) -> None:
    waiting = place.station()
    events = [place.submit(waiting, pocket=pocket) for pocket in range(1, 7)]
    with place.station(group=1) as station:
        assert station.flush(10)
    assert [place.next_event() for _ in range(place.queued())] == events


def test_a_fault_confirms_too(place: Place) -> None:
    with place.station() as station:
        event = place.submit(station)
        place.answer(FaultAnswer(capture_id=event.capture_id, reason="image_missing: …", at=datetime.now(UTC)))
        assert station.wait_for([event.capture_id], 10)
        wait_until(lambda: len(place.outbox) == 0)


def test_an_answer_of_a_check_that_is_told_after_a_newer_one_is_dropped(place: Place) -> None:
    heard: list[Any] = []
    with place.station(on_answer=lambda received: heard.append(received.answer)) as station:
        event = place.submit(station)
        for state, revision in (("replace", 2), ("go", 1), ("review", 0), ("go", 3), ("replace", 2), ("go", 3)):
            place.answer(place.go(event).model_copy(update={"state": state, "revision": revision}))
        place.answer(place.intact(event))
        assert station.wait_for([event.capture_id], 10)
        told = [answer.state for answer in heard if isinstance(answer, CheckAnswer)]
        assert told == ["replace", "review", "go", "go"], "a worker of before says no revision: that counts as it comes"
        kept = station.wait_for([event.check_id], 0)[event.check_id].answer
        assert isinstance(kept, CheckAnswer)
        assert (kept.state, kept.revision) == ("go", 3)


@pytest.mark.parametrize(
    ("outcome", "before", "after", "state", "code"),
    [
        ("damaged", "go", "replace", "replace", 1),
        ("damaged", "go", None, None, 1),
        ("damaged", "review", "replace", "replace", 1),
        ("unsure", "go", None, None, 2),
        ("unusable", "go", "review", "review", 2),
        ("intact", "replace", "go", "go", 0),
    ],
)
def test_publish_takes_no_answer_of_the_check_without_its_own_photograph(
    place: Place, outcome: Outcome, before: CheckState, after: CheckState | None, state: CheckState | None, code: int
) -> None:
    def check(event: CaptureEvent, state: CheckState, revision: int, *, named: bool) -> CheckAnswer:
        pockets = {"replace": [event.pocket] if state == "replace" else [], "review": [event.pocket]}
        changes = {"state": state, "revision": revision} | (pockets if named else {})
        return place.go(event).model_copy(update=changes)

    with place.station() as station:
        event = place.submit(station, check_size=8)
        # What an earlier photograph of the pocket made of the check, before this one's verdict and, late, after it.
        place.answer(check(event, before, 1, named=False))
        station.wait_for([event.check_id], 10)
        place.answer(place.intact(event).model_copy(update={"outcome": outcome}))
        if outcome != "intact":
            place.answer(check(event, before, 1, named=False))
        if after is not None:
            place.answer(check(event, after, 2, named=outcome != "intact"))
        received, checked = publish._answers(station, event, 10)
        assert received is not None
        assert (checked.state if checked else None, publish._exit_code(received, checked)) == (state, code)


def test_publish_says_that_a_photograph_was_written_while_it_was_judged(place: Place, tmp_path: Path) -> None:
    """By a program that closed it between two pieces, of which no kernel tells."""
    path = tmp_path / "1.jpg"
    path.write_bytes(photograph(seed=1))
    where = ["--machine", "mill-1", "--head", "H1", "--operation", "op-1", "--pocket", "1"]
    environment = (
        os.environ
        | {"INSERTS_DATA": str(tmp_path / "data"), "INSERTS_REDIS_URL": place.redis_server.url}
        | {"INSERTS_STATION": "station-1", "INSERTS_SETTLED_AFTER": "0.1"}
    )
    log = tmp_path / "publish.log"
    command = start_command("insert-station", "publish", str(path), *where, environment=environment, log=log)
    wait_until(lambda: place.redis.llen(INSPECT_QUEUE) == 1, what="its message")
    event = place.next_event()
    path.write_bytes(photograph(seed=2))
    place.answer(place.intact(event))
    place.answer(place.go(event))
    assert command.wait(60) == 2
    assert "1.jpg changed meanwhile: publish it again once it is finished" in log.read_text()


def test_a_whole_head_is_answered(place: Place) -> None:
    photographs = [Photograph(pocket, photograph(seed=pocket)) for pocket in range(1, 31)]
    with place.worker(), place.station() as station:
        result = run_check(station, photographs, **WHERE, check_size=30, timeout=30)
    assert result.exit_code == 0
    assert len(result.answers) == 30
    assert len(place.outbox) == 0


def test_a_check_whose_answer_was_lost_is_asked_about_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_check, "ASKED_AGAIN_AFTER", 0.2)
    photographs = [Photograph(pocket, photograph(seed=pocket)) for pocket in (1, 2)]
    with place.worker(lost_goes=2), place.station() as station:
        result = run_check(station, photographs, **WHERE, check_size=2, timeout=600)
        wait_until(lambda: len(place.outbox) == 0)
    assert (result.exit_code, len(result.answers)) == (0, 2)


@pytest.mark.parametrize(
    ("outcomes", "states", "state", "code"),
    [
        (("intact", None), ("go",), "pending", 2),
        (("intact", None), ("replace",), "pending", 2),
        (("intact", "damaged"), ("go",), "pending", 2),
        (("intact", "damaged"), ("go", "replace"), "replace", 1),
        (("intact", "intact"), ("replace", "go"), "go", 0),
    ],
)
def test_a_run_whose_id_another_run_had_is_not_answered_by_what_that_one_came_to(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    outcomes: Sequence[Outcome | None],
    states: Sequence[CheckState],
    state: CheckState,
    code: int,
) -> None:
    """What the one before came to is told before its own photographs are judged, and once more, late, after that."""
    monkeypatch.setattr(head_check, "ASKED_AGAIN_AFTER", 0.2)

    def tell(event: CaptureEvent, outcome: Outcome | None) -> None:
        def check(number: int) -> CheckAnswer:
            replaced = {"replace": [2] if states[number] == "replace" else []}
            return place.go(event).model_copy(update={"state": states[number], "revision": number, **replaced})

        if event.pocket == 1:
            place.answer(check(0))
        if outcome is not None:
            place.answer(place.intact(event).model_copy(update={"outcome": outcome}))
        if event.pocket == 2 and outcome == "damaged":
            place.answer(check(0))
        if event.pocket == 2 and len(states) > 1:
            place.answer(check(1))

    with place.station() as station:
        result = run_check(
            station,
            [Photograph(pocket, photograph(seed=pocket)) for pocket in (1, 2)],
            **WHERE,
            check_size=2,
            check_id=new_id(),
            timeout=600 if state != "pending" else 1,
            on_submit=lambda event: tell(event, outcomes[event.pocket - 1]),
        )
    assert (result.state, result.exit_code) == (state, code)


def test_a_check_without_a_worker_ends_as_review_and_stays_in_the_outbox(place: Place) -> None:
    with place.station() as station:
        result = run_check(station, [Photograph(1, photograph())], **WHERE, check_size=1, timeout=0.2)
    assert (result.state, result.exit_code) == ("pending", 2)
    assert len(place.outbox) == 1


def test_a_head_of_which_a_pocket_was_not_seen_is_no_go_and_nobody_waits_for_it(place: Place) -> None:
    photographs = [Photograph(pocket, photograph(seed=pocket)) for pocket in (1, 3)]
    with place.worker(), place.station() as station:
        result = run_check(station, photographs, **WHERE, check_size=3, timeout=600)
    assert (result.state, result.exit_code) == ("review", 2)
    assert (result.review, result.missing, len(result.answers)) == ([2], [2], 2)
    assert {event.check_size for event, _ in result.submitted} == {3}


@pytest.mark.parametrize(
    ("pockets", "said"), [([1, 2, 1], "more than one photograph of pocket 1"), ([1, 4], "a photograph of pocket 4")]
)
def test_a_photograph_cannot_take_the_place_of_a_pocket_that_nobody_saw(
    place: Place, pockets: list[int], said: str
) -> None:
    with place.station() as station, pytest.raises(ValueError, match=said):
        run_check(station, [Photograph(each, photograph()) for each in pockets], **WHERE, check_size=3, timeout=1)
    assert len(place.outbox) == 0


class SmallStore(FolderStore):
    """An image store on a disk with so many bytes of room."""

    room = 0

    def put(self, key: str, data: bytes) -> str:
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), key)
        self.room -= len(data)
        return super().put(key, data)


def test_a_head_that_the_store_has_no_room_for_ends_as_review_at_once(place: Place, tmp_path: Path) -> None:
    photographs = [Photograph(pocket, photograph(seed=pocket)) for pocket in (1, 2, 3)]
    store = place.images = SmallStore(tmp_path / "small")
    with place.worker(), place.station() as station:
        with pytest.raises(OSError, match="nothing was kept: No space left on device"):
            run_check(station, photographs, **WHERE, check_size=3, timeout=0)
        assert len(place.outbox) == 0
        store.room = len(photographs[0].image) + 1_000
        result = run_check(station, photographs, **WHERE, check_size=3, timeout=600)
    assert (result.state, result.exit_code, result.review) == ("review", 2, [2, 3])
    cannot = "the photograph of pocket {} cannot be stored: No space left on device"
    assert result.not_stored == {pocket: cannot.format(pocket) for pocket in (2, 3)}


def test_a_head_whose_store_breaks_in_the_middle_says_what_was_handed_in(place: Place) -> None:
    def breaks(_: CaptureEvent) -> None:
        shutil.rmtree(place.images.root)
        place.images.root.touch()

    photographs = [Photograph(pocket, photograph(seed=pocket)) for pocket in (1, 2)]
    with (
        place.station() as station,
        pytest.raises(OSError, match="pocket 1 went before, and that check ends"),
    ):
        run_check(station, photographs, **WHERE, check_size=2, timeout=0, on_submit=breaks)
    assert len(place.outbox) == 1


def test_what_is_known_of_the_head_travels_with_each_photograph(place: Place) -> None:
    region = Region(left=1, top=2, width=30, height=40)
    with place.station() as station:
        run_check(
            station,
            [Photograph(1, photograph(), region=region)],
            **WHERE,
            check_size=1,
            timeout=0,
            designation="SEKT 1204 AFTN",
        )
    (waiting,) = place.outbox.waiting()
    assert (waiting.event.region, waiting.event.insert_designation) == (region, "SEKT 1204 AFTN")


def test_events_wait_while_redis_is_away_and_are_sent_when_it_is_back(place: Place) -> None:
    place.redis_server.kill()
    with place.station() as station:
        events = [place.submit(station) for _ in range(5)]
        wait_until(lambda: any(w.problem for w in place.outbox.waiting()), what="a noted problem")
        assert len(place.outbox) == 5
        place.redis_server.start()
        with place.worker():
            assert len(station.wait_for([event.capture_id for event in events], 30)) == 5
            wait_until(lambda: len(place.outbox) == 0)


def test_what_a_killed_station_left_is_sent_by_the_next_one(place: Place) -> None:
    unsent = place.station()  # it never starts to send, as if it had been killed just after the submit
    event = place.submit(unsent)
    assert place.queued() == 0
    with place.worker(), place.station() as station:
        assert station.wait_for([event.capture_id], 10)
        wait_until(lambda: len(place.outbox) == 0)


def test_an_unanswered_event_is_sent_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 0.2)
    with place.station() as station:
        event = place.submit(station)
        first, second = place.next_event(), place.next_event()
        assert first == second == event
        wait_until(lambda: (w := place.outbox.find(str(event.capture_id))) and w.attempts >= 2)


def test_what_a_later_answer_has_overtaken_is_sent_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else is: what only waits has one message in the queue, however long."""
    monkeypatch.setattr("producer.delivery.resend.OVERTAKEN_AFTER", 0.5)
    with place.station() as station:
        lost = place.submit(station, pocket=1)
        assert place.next_event() == lost  # a worker dies with it in its hand
        others = []
        for pocket in (2, 3, 4):
            others.append(place.submit(station, pocket=pocket))
            assert station.flush(10)
            assert place.next_event() == others[-1]
        place.answer(place.intact(others[1]))
        assert [place.next_event() for _ in range(2)] == [lost, others[0]]
        wait_until(lambda: [entry.attempts for entry in place.outbox.waiting()] == [2, 2, 1])
        for event in (lost, others[0], others[2]):
            place.answer(place.intact(event))
        wait_until(lambda: len(place.outbox) == 0)
    assert place.queued() == 0
    assert station.metrics.registry.get_sample_value("inserts_station_resent_total", {"station": "station-1"}) == 2


def test_the_last_of_a_head_that_was_lost_whole_brings_the_others_with_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 0.5)
    monkeypatch.setattr("producer.delivery.resend.OVERTAKEN_AFTER", 0.5)
    waiting = place.station()
    events = [place.submit(waiting, pocket=pocket) for pocket in range(1, 31)]
    with place.station() as station:
        assert station.flush(10)
        for _ in range(4):
            place.next_message()
        assert place.next_event() == events[-1], "one asks for all"
        with place.worker():
            place.answer(place.intact(events[-1]))
            assert len(station.wait_for([event.capture_id for event in events], 20)) == 30
            wait_until(lambda: len(place.outbox) == 0)


def test_answers_after_redis_came_back_empty_are_read(place: Place) -> None:
    with place.station() as station:
        event = place.submit(station)
        place.next_event()
        # An id far in the future, as from a clock that was ahead before everything was lost.
        place.redis.xadd("verdicts:station-1", {"answer": place.intact(event).model_dump_json()}, id="99999999999999-0")
        wait_until(lambda: len(place.outbox) == 0)
    place.redis.flushall()
    with place.station() as station:
        event = place.submit(station)
        place.next_event()
        place.answer(place.intact(event))
        assert station.wait_for([event.capture_id], 10)


def test_an_answer_that_nobody_understands_is_passed_over(place: Place) -> None:
    station = place.station()
    event = place.submit(station)
    place.answer(place.intact(event))
    place.redis.xadd("verdicts:station-1", {"answer": '{"kind": "poem"}'})
    place.redis.xadd("verdicts:station-1", {"something": "else"})
    other = place.submit(station)
    place.answer(place.intact(other))
    with station:  # reads all four in one go
        assert len(station.wait_for([event.capture_id, other.capture_id], 10)) == 2


def test_a_wrong_value_costs_nothing(place: Place) -> None:
    station = place.station()
    with pytest.raises(ValueError, match="pocket"):
        place.submit(station, pocket=0)
    assert len(place.outbox) == 0
    assert not place.images.root.exists()


def test_a_store_that_cannot_be_written_keeps_no_event(place: Place) -> None:
    place.images.root.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="images"):
        place.submit(place.station())
    assert len(place.outbox) == 0


def test_everybody_hears_of_every_answer(place: Place) -> None:
    heard: list[Any] = []
    listen: Callable[[Any], None] = heard.append
    with place.worker(), Station("station-1", place.images, place.outbox, place.redis_server.url, listen) as station:
        event = place.submit(station)
        wait_until(lambda: len(heard) == 2)
    assert [received.answer.kind for received in heard] == ["verdict", "check"]
    assert heard[0].answer.capture_id == event.capture_id


def test_of_two_outboxes_that_were_cloned_with_their_computer_the_one_that_hears_of_the_other_takes_another_node(
    place: Place, tmp_path: Path
) -> None:
    """The copy has the file's inode too: here its number is noted for the other file."""
    (tmp_path / "clone").mkdir()
    clone = Place(tmp_path / "clone", place.redis_server)
    with closing(clone.outbox), place.station() as station:
        [own] = {*place.outbox.notes("node of ").values()}
        clone.station()  # which notes its own
        for note in clone.outbox.notes("node of "):
            clone.outbox.keep_note(note, own)
        first = place.submit(station)
        place.answer(place.intact(place.next_event()))
        wait_until(lambda: not len(place.outbox))
        assert node(station.new_capture_id()) == node(first.capture_id), "what is its own changes nothing"
        with clone.station() as other:
            foreign = clone.submit(other)
            assert node(foreign.capture_id) == node(first.capture_id)
            place.answer(place.intact(place.next_event()))
            wait_until(lambda: node(station.new_capture_id()) != node(foreign.capture_id))
            wait_until(lambda: not len(clone.outbox))
            assert node(other.new_capture_id()) == node(foreign.capture_id)
        another = node(station.new_capture_id())
    assert node(place.station().new_capture_id()) == another, "also at the next start"


def test_an_outbox_that_was_restored_into_its_file_takes_another_node_once_it_hears_of_what_was_taken_since(
    place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "restored.db"

    def take_one() -> UUID:
        with closing(Outbox(file)) as outbox:
            with Station("station-1", place.images, outbox, place.redis_server.url) as station:
                taken = place.submit(station)
                place.answer(place.intact(place.next_event()))
                wait_until(lambda: not len(outbox))
            return taken.capture_id

    take_one()
    backup = file.read_bytes()
    later = take_one()
    file.write_bytes(backup)
    with closing(Outbox(file)) as outbox:
        station = Station("station-1", place.images, outbox, place.redis_server.url)
        assert node(station.new_capture_id()) == node(later)
        with station:
            wait_until(lambda: node(station.new_capture_id()) != node(later))


def test_where_the_outbox_was_lost_only_what_is_awaited_is_heard_of_what_was_answered_before(
    place: Place, tmp_path: Path
) -> None:
    """Nobody may take the go of an earlier run for that of this one. After a wipe all is of now."""
    with place.worker(), place.station() as station:
        place.submit(station)
        wait_until(lambda: place.redis.xlen("verdicts:station-1") == 2)
    heard: list[Any] = []
    with closing(Outbox(tmp_path / "spare.db")) as spare:
        station = Station("station-1", place.images, spare, place.redis_server.url, heard.append)
        waiting = place.submit(station)
        for answer in (place.intact(waiting), place.go(waiting)):
            place.answer(answer)
        with station:
            wait_until(lambda: len(spare) == 0, what="an answer to what is awaited")
            later = place.submit(station)
            place.answer(place.intact(later))
            wait_until(lambda: len(heard) == 3)
            told = [received.answer for received in heard]
            assert [answer.kind for answer in told] == ["verdict", "check", "verdict"]
            assert {answer.check_id for answer in told[:2]} == {waiting.check_id}
    with closing(Outbox(tmp_path / "another.db")) as another:
        station = Station("station-1", place.images, another, place.redis_server.url, heard.append)
        place.redis.xadd("verdicts:station-1", {b"something": b"else"}, id="99999999999999-0")
        with station:
            event = place.submit(station)
            wait_until(lambda: station._sender._reader.position == "99999999999999-0", what="that it has read")
            place.redis.flushall()
            place.answer(place.intact(event))
            wait_until(lambda: len(another) == 0, what="an answer after the wipe")


def test_a_full_outbox_refuses_before_anything_is_stored(place: Place) -> None:
    place.outbox.limit = 2
    station = place.station()
    kept = [place.submit(station), place.submit(station)]
    with pytest.raises(OutboxFull, match="2 captures wait"):
        place.submit(station)
    assert [waiting.event for waiting in place.outbox.waiting()] == kept
    assert len([path for path in place.images.root.rglob("*") if path.is_file()]) == 2


def test_publishing_to_a_hanging_redis_returns_and_everything_is_delivered_later(place: Place) -> None:
    with place.station() as station:
        place.submit(station)
        place.next_event()
        pid = place.signal_redis(signal.SIGSTOP)
        try:
            event = place.submit(station)
            wait_until(lambda: (w := place.outbox.find(str(event.capture_id))) and w.problem, what="a noted problem")
        finally:
            place.signal_redis(signal.SIGCONT, pid)
        assert place.next_event() == event
        place.answer(place.intact(event))
        assert station.wait_for([event.capture_id], 15)


def test_a_station_ends_in_time_while_redis_hangs(place: Place) -> None:
    pid = place.signal_redis(signal.SIGSTOP)
    try:
        started = time.monotonic()
        with place.station() as station:
            place.submit(station)
        assert time.monotonic() - started < 10
    finally:
        place.signal_redis(signal.SIGCONT, pid)
    assert len(place.outbox) == 1


def test_a_full_redis_is_waited_for(place: Place) -> None:
    place.redis.config_set("maxmemory", "1")
    with place.station() as station:
        events = [place.submit(station) for _ in range(3)]
        wait_until(lambda: any("maxmemory" in (w.problem or "") for w in place.outbox.waiting()), what="a problem")
        assert len(place.outbox) == 3
        assert place.queued() == 0
        place.redis.config_set("maxmemory", "0")
        with place.worker():
            assert len(station.wait_for([event.capture_id for event in events], 20)) == 3
            wait_until(lambda: len(place.outbox) == 0)


def test_lost_and_paused_connections_cost_no_event(place: Place) -> None:
    with place.worker(), place.station() as station:
        events = []
        for number in range(20):
            events.append(place.submit(station).capture_id)
            if number == 5:
                place.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            if number == 12:
                place.redis.execute_command("CLIENT", "PAUSE", "4000")
        assert len(station.wait_for(events, 40)) == 20
        wait_until(lambda: len(place.outbox) == 0)


def test_a_wipe_in_mid_run_loses_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed by what was read before; then the last is sent at once, and its answer brings the others."""
    monkeypatch.setattr("producer.delivery.resend.FIRST_RESEND", 600.0)
    monkeypatch.setattr("producer.delivery.resend.OVERTAKEN_AFTER", 0.5)
    with place.station() as station:
        answered = place.submit(station)
        # An id far in the future: what was read before the wipe must not hide what comes after it.
        answer = {"answer": place.intact(answered).model_dump_json()}
        place.redis.xadd("verdicts:station-1", answer, id="99999999999999-0")
        wait_until(lambda: place.outbox.note("position:station-1") == "99999999999999-0", what="a position")
        lost = [place.submit(station).capture_id for _ in range(10)]
        assert station.flush(10)
        place.redis.flushall()
        with place.worker():
            assert len(station.wait_for(lost, 30)) == 10
            wait_until(lambda: len(place.outbox) == 0)


def test_a_station_that_starts_sends_the_last_at_once_and_not_at_every_start(place: Place) -> None:
    with place.station() as station:
        events = [place.submit(station, pocket=pocket) for pocket in (1, 2, 3)]
        assert station.flush(10)
    sent = place.queued()
    place.outbox.forget_notes(["hurried"])
    with place.station():
        wait_until(lambda: place.queued() == sent + 1, what="the last once more")
    assert [entry.attempts for entry in place.outbox.waiting()] == [1, 1, 2]
    with place.station() as station:
        events.append(place.submit(station, pocket=4))
        assert station.flush(10)
    assert [entry.attempts for entry in place.outbox.waiting()] == [1, 1, 2, 1]


def test_a_listener_that_fails_and_a_disk_that_is_full_do_not_end_the_delivery(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.delivery.outbox_sender.LONGEST_PAUSE", 0.1)
    heard: list[Any] = []

    def listen(received: Any) -> None:
        heard.append(received)
        raise BrokenPipeError("nobody reads")

    with Station("station-1", place.images, place.outbox, place.redis_server.url, listen) as station:
        first = place.submit(station)
        assert station.flush(10)
        place.outbox._file.connection.execute("PRAGMA query_only = ON")  # every write fails, as on a full disk
        place.answer(place.intact(first))
        assert station.wait_for([first.capture_id], 10)
        assert len(place.outbox) == 1
        place.outbox._file.connection.execute("PRAGMA query_only = OFF")
        wait_until(lambda: len(place.outbox) == 0)
        second = place.submit(station)
        place.answer(place.intact(second))
        assert station.wait_for([second.capture_id], 10)
        wait_until(lambda: len(heard) == 2)


STATION_PROCESS = """
import resource, sys
from pathlib import Path
from producer.contract.event import new_id
from producer.contract.json_schema import schema_text
from producer.delivery.outbox import Outbox
from producer.station.station import Station
from producer.storage.folder import FolderStore

folder, redis_url, disk = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
where = dict(machine="m", head="h", pocket=1, operation="o", check_id=new_id(), check_size=1)
station = Station("station-1", FolderStore(folder / "images"), Outbox(folder / "outbox.db"), redis_url)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

def submit(image):
    print(station.submit(image, **where).capture_id, flush=True)

if not disk:
    with station:
        while True:
            submit(new_id().bytes * 5000)
resource.setrlimit(resource.RLIMIT_FSIZE, (disk, hard))
try:
    submit(b"large" * disk)
except OSError as error:
    print("refused:", error, flush=True)
try:
    while True:
        submit(new_id().bytes)
except Exception as error:
    print("refused:", error, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
submit(b"there is room again")
"""


def station_process(place: Place, disk: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STATION_PROCESS, str(place.images.root.parent), place.redis_server.url, str(disk)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)


def accepted(printed: list[str]) -> set[str]:
    """The capture ids that were printed whole; the last line may be cut off by a kill."""
    return {line.strip() for line in printed if line.endswith("\n") and not line.startswith("refused")}


def check_outbox(place: Place, printed: list[str]) -> None:
    """Every event that waits has its image, and everything that was accepted waits."""
    waiting = {str(entry.event.capture_id): entry.event for entry in place.outbox.waiting()}
    assert accepted(printed) <= waiting.keys()
    for event in waiting.values():
        assert hashlib.sha256(place.images.get(event.image, 10**7)).hexdigest() == event.image_sha256


def test_a_station_killed_at_any_moment_keeps_what_it_accepted(place: Place) -> None:
    chance = random.Random(3)  # noqa: S311
    printed: list[str] = []
    for _ in range(6):
        process = station_process(place)
        assert process.stdout is not None
        printed += [process.stdout.readline() for _ in range(chance.randrange(1, 60))]
        threading.Event().wait(chance.random() * 0.01)  # anywhere within a submit
        process.kill()
        printed += process.stdout.readlines()
        process.wait()
    assert len(accepted(printed)) >= 6
    check_outbox(place, printed)
    with place.worker(), place.station() as station:
        # The next station sends what is left.
        wait_until(lambda: len(place.outbox) == 0)
        assert station.wait_for([UUID(accepted(printed).pop())], 0)


def test_a_full_disk_refuses_with_nothing_half_written(place: Place) -> None:
    process = station_process(place, disk=300_000)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    printed = said.splitlines(keepends=True)
    image_refused, event_refused = (line for line in printed if line.startswith("refused"))
    assert "the photograph cannot be stored" in image_refused
    assert f"the outbox {place.outbox.path} cannot be written" in event_refused
    assert len(accepted(printed)) > 10
    check_outbox(place, printed)
    assert {str(entry.event.capture_id) for entry in place.outbox.waiting()} == accepted(printed)
    assert not list(place.images.root.rglob(".*"))
