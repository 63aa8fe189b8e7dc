"""With real processes: what children use is counted while they live, and their processor time afterwards."""

from __future__ import annotations

import os
import signal
import time

from worker.monitoring.pool_metrics import pool_families

MEGABYTE = 1_000_000


def used(*pids: int) -> tuple[float, float]:
    seconds, resident = (family.samples[0].value for family in pool_families(pids))
    return seconds, resident


def busy_child() -> int:
    """A child that has used 0.3 s of processor time and holds 50 MB, and waits to be killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        held = b"x" * (50 * MEGABYTE)
        while time.process_time() < 0.3:
            pass
        os.write(writing, held[:1])
        signal.pause()
    assert os.read(reading, 1) == b"x"
    return child


def test_children_count_while_they_live_and_their_time_afterwards() -> None:
    before, nothing = used()
    assert nothing == 0
    child = busy_child()
    try:
        seconds, resident = used(child)
        assert seconds - before >= 0.25
        assert resident > 50 * MEGABYTE
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    after, resident = used(child)
    assert after - before >= 0.25
    assert resident == 0


def test_the_names_are_those_of_prometheus() -> None:
    names = [sample.name for family in pool_families([os.getpid()]) for sample in family.samples]
    assert names == ["inserts_pool_cpu_seconds_total", "inserts_pool_resident_memory_bytes"]
