"""Waiting times of heads for the workers: the exact solution of the M/D/1 queue.

Heads are the customers. They come at random moments (a Poisson process): what many stations send independently of one
another tends to that, whatever each of them does (the Palm–Khintchine theorem); on average it is less when they keep
strict time. All workers together are the one server, which takes the same time for each head. A pool of `c` servers
has at most `c − 1` captures more before it than that one would, so what a head waits for is hardly another.
"""

from __future__ import annotations

import math

import numpy as np

from producer.runtime.arrays import Float64Array


def waiting_tail(load: float, wait: float) -> float:
    """The probability that a customer waits longer than `wait`, in units of the service time, at this `load`.

    G. J. Franx, "A simple solution for the M/D/c waiting time distribution", Operations Research Letters 29 (2001),
    for one server: for `k − 1 ≤ wait < k` it is `1 − exp(−s) Σ Q(k−1−j) s^j / j!` over `j = 0 … k−1`, where
    `s = load·(k − wait)` and `Q(m)` is the probability that at most `m` wait. Unlike Erlang's alternating sum it
    adds up positive terms only, so it loses no digits under heavy load.

    Raises:
        ValueError: `load` is not between 0 and 1: the queue would grow for ever.
    """
    _check(load)
    if wait < 0:
        return 1.0
    periods = math.floor(wait) + 1
    at_most = np.cumsum(_in_system(load, periods))[1:]
    left = load * (periods - wait)
    terms = np.exp(np.arange(periods) * math.log(left) - _log_factorials(periods) - left)
    return max(0.0, 1.0 - float(at_most[::-1] @ terms))


def waiting_quantile(load: float, share: float) -> float:
    """What a `share` of the customers wait at most, in units of the service time; 0.0 where so many need not wait.

    Raises:
        ValueError: `load` or `share` is not between 0 and 1.
    """
    _check(load)
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1, not at {share:g}")
    low, high = 0.0, 1.0
    if waiting_tail(load, low) <= 1 - share:
        return low
    while waiting_tail(load, high) > 1 - share:
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if waiting_tail(load, middle) > 1 - share else (low, middle)
    return high


def _in_system(load: float, most: int) -> Float64Array:
    """The probabilities that 0 … `most` customers are there.

    What goes up across a level comes down across it: `p(j+1) a(0) = p(0) A(j) + Σ p(i) A(j+1−i)` over `i = 1 … j`,
    with `a` the distribution of the arrivals in one service time and `A` its tail (Tijms, "A First Course in
    Stochastic Models", 2003, chapter 9). All terms are positive.
    """
    arrivals = np.exp(np.arange(most + 1) * math.log(load) - _log_factorials(most + 1) - load)
    # The tail of a Poisson distribution, summed from its far end: 1 − a sum would lose the small ones.
    beyond = np.exp(
        np.arange(most + 1, most + 60) * math.log(load) - _log_factorials(most + 60)[most + 1 :] - load
    ).sum()
    tail = np.cumsum(np.append(arrivals[1:], beyond)[::-1])[::-1]
    there = np.empty(most + 1)
    there[0] = 1 - load
    for level in range(most):
        up = there[0] * tail[level] + there[1 : level + 1] @ tail[1 : level + 1][::-1]
        there[level + 1] = up / arrivals[0]
    return there


def _log_factorials(count: int) -> Float64Array:
    """The logarithms of 0! … (`count` − 1)!."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count)))])


def _check(load: float) -> None:
    if not 0 < load < 1:
        raise ValueError(f"a load lies between 0 and 1, not at {load:g}")
