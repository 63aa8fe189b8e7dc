from __future__ import annotations

import math

import numpy as np
import pytest

from worker.planning.queueing import waiting_quantile, waiting_tail


def erlang(load: float, wait: float) -> float:
    """P(W > wait) as Erlang gave it in 1909: an alternating sum, which is exact while its terms are small."""
    total = sum(
        (-load * (wait - j)) ** j / math.factorial(j) * math.exp(load * (wait - j)) for j in range(int(wait) + 1)
    )
    return 1 - (1 - load) * total


@pytest.mark.parametrize("load", [0.05, 0.3, 0.6, 0.8, 0.9])
@pytest.mark.parametrize("wait", [0.0, 0.4, 1.0, 1.7, 3.0, 5.25, 8.0])
def test_the_distribution_is_the_one_that_erlang_gave(load: float, wait: float) -> None:
    assert waiting_tail(load, wait) == pytest.approx(erlang(load, wait), abs=1e-9)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8, 0.95])
def test_its_mean_is_that_of_pollaczek_and_khinchine(load: float) -> None:
    step = 0.1
    tails = [waiting_tail(load, wait) for wait in np.arange(step / 2, 40 / (1 - load) ** 0.5, step)]
    assert sum(tails) * step == pytest.approx(load / (2 * (1 - load)), rel=0.01)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_the_quantile_is_that_of_a_million_simulated_customers(load: float) -> None:
    rng = np.random.default_rng(7)
    # Lindley: the wait is the work that came in less the time that passed, above its lowest so far.
    steps = np.cumsum(1 - rng.exponential(1 / load, 1_000_000))
    waits = steps - np.minimum.accumulate(np.minimum(steps, 0))
    assert waiting_quantile(load, 0.95) == pytest.approx(np.quantile(waits, 0.95), rel=0.03)


def test_few_customers_need_not_wait() -> None:
    assert waiting_quantile(0.05, 0.95) == 0.0
    assert waiting_quantile(0.06, 0.95) > 0.0
    assert waiting_tail(0.5, -1.0) == 1.0


def test_near_to_full_it_grows_as_the_heavy_traffic_limit_says() -> None:
    # Kingman 1961: an exponential distribution with the mean load / (2 (1 − load)).
    for load in (0.99, 0.999):
        assert waiting_quantile(load, 0.99) == pytest.approx(math.log(100) * load / (2 * (1 - load)), rel=0.01)


@pytest.mark.parametrize("load", [0.0, 1.0, 1.2, -0.1, math.nan])
def test_a_load_that_never_ends_is_refused(load: float) -> None:
    with pytest.raises(ValueError, match="load lies between 0 and 1"):
        waiting_quantile(load, 0.95)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_all_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share lies between"):
        waiting_quantile(0.5, share)
