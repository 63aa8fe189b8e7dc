"""A station and its outbox on a real Redis, with a small worker of the test's own that answers."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from producer.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.check import Photograph, run_check
from producer.event import INSPECT_QUEUE, INSPECT_TASK, CaptureEvent, new_id
from producer.image_store import FolderStore
from producer.outbox import Outbox
from producer.station import Station
from tests.support import RedisProcess, photograph, wait_until


class Place:
    def __init__(self, folder: Path, redis_server: RedisProcess):
        self.images = FolderStore(folder / "images")
        self.outbox = Outbox(folder / "outbox.db")
        self.redis_server = redis_server
        self.redis = redis_server.client()

    def station(self) -> Station:
        return Station("station-1", self.images, self.outbox, self.redis_server.url)

    def submit(self, station: Station, **changes: Any) -> CaptureEvent:
        fields: dict[str, Any] = {"machine": "mill-3", "head": "H12", "pocket": 7, "operation": "op-1"}
        return station.submit(photograph(), **{**fields, "check_id": new_id(), "check_size": 1, **changes})

    def queued(self) -> int:
        return int(self.redis.llen(INSPECT_QUEUE))  # type: ignore[arg-type]

    def next_event(self) -> CaptureEvent:
        """Take a message from the queue, as a worker would."""
        _, raw = self.redis.brpop([INSPECT_QUEUE], timeout=10)  # type: ignore[misc]
        message = json.loads(raw)
        assert message["headers"]["task"] == INSPECT_TASK
        assert message["content-type"] == "application/json"
        args, named, _ = json.loads(base64.b64decode(message["body"]))
        assert named == {}
        return CaptureEvent.from_message(args[0])

    def answer(self, answer: VerdictAnswer | FaultAnswer | CheckAnswer) -> None:
        self.redis.xadd("verdicts:station-1", {"answer": answer.model_dump_json()})

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

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Answers every event with `intact`, and every check with `go`, until the block ends."""
        done: dict[Any, int] = {}
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                if not self.queued():
                    stop.wait(0.01)
                    continue
                event = self.next_event()
                self.answer(self.intact(event))
                done[event.check_id] = done.get(event.check_id, 0) + 1
                if done[event.check_id] == event.check_size:
                    self.answer(
                        CheckAnswer(
                            check_id=event.check_id,
                            machine=event.machine,
                            head=event.head,
                            operation=event.operation,
                            size=event.check_size,
                            state="go",
                        )
                    )

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


def test_a_fault_confirms_too(place: Place) -> None:
    with place.station() as station:
        event = place.submit(station)
        place.answer(FaultAnswer(capture_id=event.capture_id, reason="image_missing: …", at=datetime.now(UTC)))
        assert station.wait_for([event.capture_id], 10)
        wait_until(lambda: len(place.outbox) == 0)


def test_a_whole_head_is_answered(place: Place) -> None:
    photographs = [Photograph(pocket, photograph(seed=pocket)) for pocket in range(1, 31)]
    with place.worker(), place.station() as station:
        result = run_check(station, photographs, machine="mill-3", head="H12", operation="op-1", timeout=30)
    assert result.exit_code == 0
    assert len(result.answers) == 30
    assert len(place.outbox) == 0


def test_a_check_without_a_worker_ends_as_review_and_stays_in_the_outbox(place: Place) -> None:
    with place.station() as station:
        result = run_check(station, [Photograph(1, photograph())], machine="m", head="h", operation="o", timeout=0.2)
    assert result.exit_code == 2
    assert len(place.outbox) == 1


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
    monkeypatch.setattr("producer.delivery.FIRST_RESEND", 0.2)
    with place.station() as station:
        event = place.submit(station)
        first, second = place.next_event(), place.next_event()
        assert first == second == event
        wait_until(lambda: (w := place.outbox.find(str(event.capture_id))) and w.attempts >= 2)


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
