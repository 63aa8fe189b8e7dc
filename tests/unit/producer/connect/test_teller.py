"""One sink and what waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from producer.connect.delivery_log import Delivery, DeliveryLog
from producer.connect.sinks.sink import SinkAway, Told
from producer.connect.teller import Teller
from producer.contract.plant_event import plant_event
from tests.integration.plant import verdict
from tests.support import wait_until


class AwayAtFirst:
    """A sink that is away when it is first opened."""

    def __init__(self) -> None:
        self.opened = 0

    def open(self) -> None:
        self.opened += 1
        if self.opened == 1:
            raise SinkAway("no answer", retry_after=0.01)

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[Told]:
        yield from map(Told, deliveries)

    def close(self) -> None:
        pass


def test_a_log_that_cannot_be_written_while_the_sink_is_away_does_not_end_the_telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DeliveryLog(tmp_path / "deliveries.db")
    log.set_up("mes", False, None, 0.0)
    log.keep({"mes": [plant_event("p", "s", verdict(1), 1.0)]}, {})
    write, failures = log.set_up, []

    def full_once(sink: str, up: bool, problem: str | None, now: float) -> None:
        if not failures:
            failures.append(problem)
            raise sqlite3.OperationalError("database or disk is full")
        write(sink, up, problem, now)

    monkeypatch.setattr(log, "set_up", full_once)
    teller = Teller("mes", AwayAtFirst(), log)
    teller.start()
    wait_until(lambda: not log.latest(None, "waiting", 1))
    teller.stop()
    teller.join()
    assert failures == ["no answer"]
    log.close()
