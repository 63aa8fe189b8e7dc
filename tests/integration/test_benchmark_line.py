"""The line that benchmarks measure: a real worker with a random model and a real network."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from benchmarks import line as benchmark_line
from benchmarks.networks import network
from benchmarks.processes import tree
from tests.network_support import BACKBONE
from tests.support import photograph, wait_until


def test_a_line_judges_stands_still_and_comes_back_after_an_outage(
    networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_line, "STORE", networks)
    monkeypatch.setattr(benchmark_line, "photographs", lambda: (photograph(), photograph(seed=1)))
    with benchmark_line.running(network(BACKBONE, networks), processes=1) as line:
        with line.standstill():
            line.publish("station-1", 20)
            processes = tree(line.worker.pid)
            assert len(processes) >= 2
            wait_until(lambda: {each.status() for each in processes} == {psutil.STATUS_STOPPED})
            assert line.judged("station-1") == 0
        times = line.wait("station-1", 20)
        assert len(times) == 20
        assert times == sorted(times)
        with line.outage():
            assert not psutil.pid_exists(processes[0].pid)
            line.publish("station-2", 3, group=1)
            assert line.judged("station-2") == 0
        assert len(line.wait("station-2", 3)) == 3
