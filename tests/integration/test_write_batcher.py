"""Many threads, one transaction: what belongs to one capture stays with it, whatever happens to the others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from db.engine.database import Database
from db.learning import model_registry
from db.line import captures, verdicts
from db.line.captures import Arrival, Capture, Known
from db.line.shadow_verdicts import ShadowVerdict
from db.line.verdicts import Verdict
from producer.storage.folder import FolderStore
from tests.database_support import shadows_of
from tests.support import photograph, stored_event
from worker.line.mapping import capture_of
from worker.line.write_batcher import WriteBatcher

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def capture(tmp_path: Path) -> Capture:
    return capture_of(stored_event(FolderStore(tmp_path / "images"), photograph()))


def another(capture: Capture) -> Capture:
    from producer.contract.event import new_id

    return replace(capture, capture_id=new_id())


def verdict_on(capture: Capture) -> Verdict:
    return Verdict(capture.capture_id, None, "unsure", None, None, None, NOW)


class Held:
    """A database whose transactions wait until they are let go; counts them."""

    def __init__(self, database: Database):
        self._database = database
        self.go = threading.Event()
        self.begun = threading.Event()
        self.transactions: list[bool] = []

    def transaction(self, *, synced: bool = True) -> Any:
        self.begun.set()
        assert self.go.wait(20)
        self.transactions.append(synced)
        return self._database.transaction(synced=synced)


def test_what_comes_meanwhile_is_one_transaction_and_only_verdicts_wait_for_the_disk(
    database: Database, capture: Capture
) -> None:
    held = Held(database)
    writes = WriteBatcher(held)  # type: ignore[arg-type]
    crowd = [another(capture) for _ in range(20)]
    with ThreadPoolExecutor(21) as threads:
        first = threads.submit(writes.arrive, Arrival(capture, NOW, tried=True))
        assert held.begun.wait(20)
        others = [threads.submit(writes.arrive, Arrival(each, NOW, tried=True)) for each in crowd]
        while writes._batcher._waiting.qsize() < len(crowd):
            pass
        held.go.set()
        assert [done.result(20) for done in [first, *others]] == [Known(True, 0, None)] * 21
    assert held.transactions == [False, False]
    assert writes.record(verdict_on(capture)) == verdict_on(capture)
    assert held.transactions == [False, False, True]
    writes.close()


def test_a_verdict_that_cannot_be_kept_costs_only_itself(database: Database, capture: Capture) -> None:
    held = Held(database)
    writes = WriteBatcher(held)  # type: ignore[arg-type]
    good = [another(capture) for _ in range(5)]
    with database.transaction() as session:
        for each in [capture, *good]:
            captures.record(session, each, NOW)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(writes.record, verdict_on(capture))
        assert held.begun.wait(20)
        unknown = threads.submit(writes.record, verdict_on(another(capture)))
        others = [threads.submit(writes.record, verdict_on(each)) for each in good]
        while writes._batcher._waiting.qsize() < 6:
            pass
        held.go.set()
        assert [done.result(20).outcome for done in [first, *others]] == ["unsure"] * 6
        with pytest.raises(IntegrityError):
            unknown.result(20)
    with database.reading() as session:
        assert verdicts.count(session) == 6
    writes.close()


def shadow_on(capture: Capture, model_id: str) -> ShadowVerdict:
    return ShadowVerdict(capture.capture_id, model_id, "damaged", 0.5, 0.75, NOW)


def test_nobody_waits_for_what_a_shadow_says_and_it_costs_only_itself(database: Database, capture: Capture) -> None:
    held = Held(database)
    writes = WriteBatcher(held)  # type: ignore[arg-type]
    others = [another(capture) for _ in range(3)]
    with database.transaction() as session:
        model = model_registry.Model("known", "fake", "0" * 64, NOW, ("intact", "damaged"), 2, {}, "known", "0" * 64)
        model_registry.register(session, model)
        for each in [capture, *others]:
            captures.record(session, each, NOW)
    writes.note(shadow_on(capture, "known"))
    assert held.begun.wait(20)
    assert held.transactions == []
    with ThreadPoolExecutor(4) as threads:
        writes.note(shadow_on(others[0], "a model that nobody knows"))
        writes.note(shadow_on(others[1], "known"))
        beside = [threads.submit(writes.record, verdict_on(each)) for each in others]
        while writes._batcher._waiting.qsize() < 5:
            pass
        held.go.set()
        assert [done.result(20).outcome for done in beside] == ["unsure"] * 3
    writes.close()
    assert held.transactions[0] is False, "a shadow alone waits for no disk"
    with database.reading() as session:
        assert verdicts.count(session) == 3
        assert shadows_of(session, capture.capture_id) == [shadow_on(capture, "known")]
        assert shadows_of(session, others[0].capture_id) == []
        assert shadows_of(session, others[1].capture_id) == [shadow_on(others[1], "known")]
