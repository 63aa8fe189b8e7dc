import math

import numpy as np
import pytest

from benchmarks.plan_simulation import at_random, simulate
from worker.planning.measurements import WorkerFigures
from worker.planning.plan import SHARE, Load, in_hand, waits

PER_SECOND = 10.0


def test_a_head_on_an_idle_line_is_shared_out_and_answered_at_once():
    found = simulate(np.array([5.0, 100.0]), 6, workers=2, per_second=1.0, in_hand=32)
    assert found.waits.tolist() == [0, 0]
    assert found.answers.tolist() == [3, 3]


def test_what_comes_meanwhile_is_the_next_batch_and_answered_at_its_end():
    found = simulate(np.array([0.0, 1.0, 2.0]), 4, workers=1, per_second=1.0, in_hand=32)
    assert found.waits.tolist() == [0, 3, 2]
    assert found.answers.tolist() == [4, 11, 10]


def test_a_worker_takes_no_more_than_it_may_have_in_hand():
    found = simulate(np.array([0.0]), 10, workers=2, per_second=1.0, in_hand=2)
    assert found.answers.tolist() == [6]


@pytest.mark.parametrize("workers", [1, 2, 4, 16])
@pytest.mark.parametrize("busy", [0.3, 0.6, 0.8])
def test_the_plan_says_what_the_simulation_does(workers, busy):
    """From a tenth below to a third above: what the formula leaves out, it leaves out on the safe side."""
    load = Load(stations=50, inserts=30, every=50 * 30 / (busy * workers * PER_SECOND))
    worker = WorkerFigures(cores=1, per_second=PER_SECOND, single_seconds=1 / PER_SECOND, bytes=1)
    planned = waits(load, worker, station_per_second=math.inf, workers=workers)
    arrivals = at_random(load.stations, load.every, heads=10_000, seed=1)
    found = simulate(arrivals, load.inserts, workers, PER_SECOND, in_hand(worker))
    assert len(arrivals) / arrivals[-1] == pytest.approx(load.heads_per_second, rel=0.03)
    assert 0.9 <= planned.answered / np.quantile(found.answers, SHARE) <= 1.35
    # Its first capture is taken before a head's whole turn has come, a batch before at most.
    assert -0.1 * planned.queued <= planned.queued - np.quantile(found.waits, SHARE) <= 0.1 * planned.queued + 3.2
