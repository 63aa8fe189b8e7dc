"""How unlike the others one day's inserts are: the energy distance, and whether chance alone would give it.

Two samples are as far apart as their members are from each other beyond what members of one sample are (Székely and
Rizzo 2013, "Energy statistics"); it is the maximum mean discrepancy whose kernel is the distance, so it has no width to
choose, and is the same for a single number as for a network's features. What is dealt anew by chance are inserts, not
photographs: those of one insert are alike, and any two days would differ by them. Plain NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from producer.runtime.arrays import AnyArray, BoolArray, Float64Array, Int64Array

Sums = AnyArray | float

PERMUTATIONS: Final = 999
"""How often the inserts are dealt anew to the day and to the others."""


@dataclass(frozen=True)
class Comparison:
    """One day held against others.

    `distance` is that of its inserts to those of the other days, from 0 (alike, or below by chance) to 1 (nothing
    in common); `usual` that of the farthest one of the other days to the rest of them, and `chance` how likely a
    distance of at least this is where the day is no different (the p-value of the permutation test).
    """

    distance: float
    usual: float
    chance: float


def pairwise(rows: AnyArray) -> Float64Array:
    """Return the Euclidean distances (n, n) between rows (n, d), or between numbers (n,)."""
    values = np.asarray(rows, np.float64)
    if values.ndim == 1:
        return np.asarray(np.abs(values[:, None] - values[None]))
    squares = np.einsum("ij,ij->i", values, values)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * values @ values.T, 0))
    np.fill_diagonal(distances, 0)
    return np.asarray(distances)


def between_inserts(distances: Float64Array, inserts: Int64Array) -> Float64Array:
    """Return the mean distances (k, k) between the photographs of two inserts, 0 on the diagonal.

    `distances` (n, n) are those between photographs, `inserts` (n,) numbers from 0 to k - 1 say what each shows.
    """
    belongs = (inserts[None] == np.arange(inserts.max() + 1)[:, None]).astype(np.float64)
    belongs /= belongs.sum(axis=1, keepdims=True)
    means = belongs @ distances @ belongs.T
    np.fill_diagonal(means, 0)
    return np.asarray(means)


def compared(distances: Float64Array, days: Int64Array, day: int, *, seed: int = 0) -> Comparison:
    """Hold the inserts of a `day` against those of all the other days.

    `distances` (n, n) are those between inserts, or whatever else can be exchanged by chance, `days` (n,) says on which
    day each was seen. The same arguments give the same.

    Raises:
        ValueError: there are fewer than two other days, or fewer than two inserts of one.
    """
    names, numbers, sizes = np.unique(days, return_inverse=True, return_counts=True)
    if len(names) < 3 or sizes.min() < 2 or day not in names:
        raise ValueError(
            "a day is held against at least two others, each with two inserts or more, "
            f"not {dict(zip(names.tolist(), sizes.tolist(), strict=True))}"
        )
    belongs = (numbers[None] == np.arange(len(names))[:, None]).astype(np.float64)
    sums = belongs @ distances @ belongs.T
    own = int(np.flatnonzero(names == day)[0])
    others = np.delete(np.arange(len(names)), own)
    usual = max(_of_days(sums, sizes, one, others[others != one]) for one in others.tolist())
    observed = _of_days(sums, sizes, own, others)
    by_chance = _dealt_anew(distances, int(sizes[own]), np.random.default_rng(seed))
    # A tie is no smaller: what is the same but for the rounding counts as at least as far.
    chance = (1 + int((by_chance >= observed - 1e-9).sum())) / (PERMUTATIONS + 1)
    return Comparison(observed, usual, chance)


def hardly_chance(chances: Iterable[float], level: float) -> list[bool]:
    """Return which of several p-values are too small for chance; that any is by chance has at most this `level`.

    Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    values: Sequence[float] = list(chances)
    rejected = [False] * len(values)
    for rank, place in enumerate(np.argsort(values, kind="stable").tolist()):
        if values[place] > level / (len(values) - rank):
            break
        rejected[place] = True
    return rejected


def _of_days(sums: Float64Array, sizes: Int64Array, day: int, others: Int64Array) -> float:
    """The distance of a day to some others, by the sums (k, k) of the distances between the inserts of two days."""
    n, m = int(sizes[day]), int(sizes[others].sum())
    among = float(sums[np.ix_(others, others)].sum())
    return float(_coefficient(float(sums[day, others].sum()), float(sums[day, day]), among, n, m))


def _dealt_anew(distances: Float64Array, count: int, rng: np.random.Generator) -> Float64Array:
    """The distances of `PERMUTATIONS` random samples of `count` inserts to the rest of them."""
    total = len(distances)
    chosen: BoolArray = np.zeros((total, PERMUTATIONS), bool)
    for column in range(PERMUTATIONS):
        chosen[rng.choice(total, count, replace=False), column] = True
    dealt = chosen.astype(np.float32)
    # Single precision: half the time, and a distance's sixth digit changes no rank that matters.
    to_chosen = distances.astype(np.float32) @ dealt
    within = np.einsum("ij,ij->j", to_chosen, dealt, dtype=np.float64)
    between = to_chosen.sum(axis=0, dtype=np.float64) - within
    among = distances.sum() - 2 * between - within
    return np.asarray(_coefficient(between, within, among, count, total - count), np.float64)


def _coefficient(between: Sums, within: Sums, among: Sums, n: int, m: int) -> AnyArray:
    """The energy distance of n inserts to m others as a share of their mean distance, without bias.

    From the sums of all distances between the two, within the first and among the others, each pair counted twice but
    between the two.
    """
    mean = np.asarray(between, np.float64) / (n * m)
    excess = 2 * mean - np.asarray(within) / (n * (n - 1)) - np.asarray(among) / (m * (m - 1))
    return np.divide(excess, 2 * mean, out=np.zeros_like(excess), where=mean > 0)
