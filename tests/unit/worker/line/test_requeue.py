from __future__ import annotations

import pytest

from tests.support import wait_until
from worker.line import requeue
from worker.line.requeue import RequeueWatch


class Inspector:
    def __init__(self) -> None:
        self.looks = 0

    def take_up_requeued(self) -> int:
        self.looks += 1
        if self.looks == 2:
            raise RuntimeError("away")
        return 1


def test_it_looks_again_and_again_also_after_an_error_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requeue, "LOOK_EVERY", 0.01)
    inspector = Inspector()
    watch = RequeueWatch(inspector)
    with watch:
        wait_until(lambda: inspector.looks > 5)
    assert not watch._thread.is_alive()
