"""One sink and what waits for it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from producer.connect.connector_problems import ConnectorProblems, current_states
from producer.connect.deliveries.delivery_log import Delivery, DeliveryLog
from producer.connect.sink_thread import SinkThread
from producer.connect.sinks.sink import DeliveryResult, SinkAway
from producer.connect.stream_freshness import StreamFreshness, now
from producer.contract.plant_event import plant_event
from tests.integration.plant import verdict
from tests.support import wait_until


class Scripted:
    """A sink that opens, and makes of deliveries, what it is given."""

    def __init__(
        self,
        opens: Callable[[int], bool] = lambda _: False,
        tells: Callable[[Delivery], DeliveryResult] = DeliveryResult,
    ):
        self.opened = self.left = 0
        self.sent: list[str] = []
        self._opens = opens
        self._tells = tells

    def open(self) -> bool:
        self.opened += 1
        return self._opens(self.opened)

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
        for delivery in deliveries:
            self.sent.append(delivery.event.id)
            yield self._tells(delivery)

    def close(self) -> None:
        self.left += 1


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DeliveryLog]:
    log = DeliveryLog(tmp_path / "deliveries.db")
    log.set_up("mes", False, None, 0.0)
    log.keep({"mes": [plant_event("p", "s", verdict(pocket), 1.0) for pocket in (1, 2)]}, {})
    yield log
    log.close()


@contextmanager
def telling(sink: Scripted, log: DeliveryLog, monkeypatch: pytest.MonkeyPatch) -> Iterator[StreamFreshness]:
    monkeypatch.setattr("producer.connect.sink_thread.IDLE_PAUSE", 0.02)
    monkeypatch.setattr("producer.connect.sink_thread.LONGEST_PAUSE", 0.02)
    problems = ConnectorProblems(log.path.parent)
    freshness = StreamFreshness()
    freshness.heard(now())
    thread = SinkThread("mes", sink, log, problems, freshness)
    thread.start()
    try:
        yield freshness
    finally:
        thread.stop()
        thread.join()
        problems.close()


def away_at_first(times: int) -> bool:
    if times == 1:
        raise SinkAway("no answer", retry_after=0.01)
    return False


def test_a_log_that_cannot_be_written_while_the_sink_is_away_does_not_end_the_telling(
    log: DeliveryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failures = log.set_up, []

    def full_once(sink: str, up: bool, problem: str | None, now: float) -> None:
        if not failures:
            failures.append(problem)
            raise sqlite3.OperationalError("database or disk is full")
        write(sink, up, problem, now)

    monkeypatch.setattr(log, "set_up", full_once)
    with telling(Scripted(away_at_first), log, monkeypatch):
        wait_until(lambda: not log.latest(None, "waiting", 1))
    assert failures == ["no answer"]


@pytest.mark.parametrize("refused", [None, "it answered 500"])
def test_nothing_is_told_again_because_it_cannot_be_noted(
    log: DeliveryLog, monkeypatch: pytest.MonkeyPatch, refused: str | None
) -> None:
    full, tries = True, 0

    def fail(write: Callable[..., None]) -> Callable[..., None]:
        def writes(*arguments: object) -> None:
            nonlocal tries
            tries += 1
            if full:
                raise sqlite3.OperationalError("database or disk is full")
            write(*arguments)

        return writes

    monkeypatch.setattr(log, "delivered", fail(log.delivered))
    monkeypatch.setattr(log, "failed", fail(log.failed))
    sink = Scripted(tells=lambda delivery: DeliveryResult(delivery, refused))
    with telling(sink, log, monkeypatch):
        wait_until(lambda: tries >= 4)
        sent = list(sink.sent)
        (state,) = current_states(log)
        assert (state.up, state.problem) == (False, "database or disk is full")
        full = False
        wait_until(lambda: current_states(log)[0].problem != "database or disk is full")
    assert sent == sink.sent == list(dict.fromkeys(sink.sent))
    assert current_states(log)[0].problem == refused


def test_a_sink_that_asks_for_a_pause_is_not_reached_before(log: DeliveryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[float] = []

    def busy(_: int) -> bool:
        opened.append(time.monotonic())
        raise SinkAway("it answered 429", retry_after=0.2)

    with telling(Scripted(busy), log, monkeypatch):
        wait_until(lambda: len(opened) > 4)
    assert min(later - earlier for earlier, later in pairwise(opened)) >= 0.2


def test_what_nobody_foresaw_is_the_state_of_the_sink_too(log: DeliveryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = True

    def opens(_: int) -> bool:
        if broken:
            raise RuntimeError("never thought of")
        return False

    with telling(Scripted(opens), log, monkeypatch):
        wait_until(lambda: "RuntimeError: never thought of" in str(current_states(log)[0].problem))
        assert not current_states(log)[0].up
        broken = False
        wait_until(lambda: current_states(log)[0].up)
    assert log.latest("mes", "waiting", 9) == []


def test_a_system_that_is_set_up_wrongly_is_tried_for_ever_and_by_each_new_connection(
    log: DeliveryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = True
    # An event that is refused is given up at once.
    monkeypatch.setattr("producer.connect.deliveries.retry_schedule.SCHEDULE", ())

    def tells(delivery: Delivery) -> DeliveryResult:
        return DeliveryResult(delivery, "not authorized", pause=3600.0) if refuses else DeliveryResult(delivery)

    sink = Scripted(lambda _: True, tells)
    with telling(sink, log, monkeypatch):
        wait_until(lambda: sink.sent.count(sink.sent[0]) > 3 if sink.sent else False)
        assert log.latest("mes", "given up", 9) == []
        assert current_states(log)[0].problem == "not authorized"
        refuses = False
        wait_until(lambda: not log.latest("mes", "waiting", 9))


def test_a_sink_is_left_while_the_line_is_not_heard_and_reached_anew_after_it(
    log: DeliveryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Scripted()
    with telling(sink, log, monkeypatch) as freshness:
        wait_until(lambda: log.sinks()[0].up)
        before = sink.left
        freshness.ends()
        wait_until(lambda: not log.sinks()[0].up)
        assert sink.left > before
        opened = sink.opened
        log.keep({"mes": [plant_event("p", "s", verdict(3), 2.0)]}, {})
        assert (sink.opened, len(sink.sent)) == (opened, 2)
        freshness.heard(now())
        wait_until(lambda: len(sink.sent) == 3)
        # One that ends and begins between two looks is another one: what was shown in the first may be overtaken.
        left = sink.left
        freshness.ends()
        freshness.heard(now())
        wait_until(lambda: sink.left > left)


@pytest.mark.parametrize("disk", ["full", "hanging"])
def test_a_sink_is_left_while_the_line_is_not_heard_though_the_log_s_disk_fails(
    log: DeliveryLog, monkeypatch: pytest.MonkeyPatch, disk: str
) -> None:
    monkeypatch.setattr("producer.connect.sink_thread.LOOK_EVERY", 0.02)
    failing, mended = threading.Event(), threading.Event()
    works = log.delivered

    def delivered(*arguments: Any) -> None:
        failing.set()
        if disk == "full" and not mended.is_set():
            raise sqlite3.OperationalError("database or disk is full")
        assert mended.wait(30)
        works(*arguments)

    monkeypatch.setattr(log, "delivered", delivered)
    sink = Scripted()
    with telling(sink, log, monkeypatch) as freshness:
        assert failing.wait(30)
        left, opened = sink.left, sink.opened
        freshness.ends()
        wait_until(lambda: sink.left > left, what="a sink that is left")
        mended.set()
        if disk == "hanging":
            wait_until(lambda: not log.latest("mes", "waiting", 9))
        assert sink.opened == opened, "nobody is reached while the line is not heard"
