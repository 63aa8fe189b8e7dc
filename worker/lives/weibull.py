"""How long inserts last: two Weibull laws, wear and breakage, wear's scale by head and operation shrunk to the plant's.

`S(t) = exp(−(t/λ)^k)` is the share that is intact after `t` operations (Weibull, J. Appl. Mech. 18 (1951) 293–297). Of
each kind of damage that people or models named there is one such law, and an insert ends by what comes first (competing
risks). The scale of wear in one stratum is `λ exp(u)`, with `u` normal around 0: a random effect, which is integrated
out, so that the plant says how far strata differ and a stratum with few lives stays near the plant (empirical Bayes;
Duchateau and Janssen, The Frailty Model (2008), chapter 2). A life between two looks counts with the chance that it
ends between them; where its kind is known, with that kind's share of the hazard between them.

The parameters' priors are weak, and matter where there are ten lives: a shape of wear about 2.5, of breakage about 1
(it knows no age), strata that differ by about 0.25 on the logarithm. What is not known of the parameters is in the
answers: draws of their posterior's normal approximation (Laplace), each with its effects of the strata.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]  # comes with scikit-learn
from scipy.stats import norm  # type: ignore[import-untyped]

from db.learning.survival_curve import LEVELS, SurvivalCurve
from producer.runtime.arrays import Float64Array, Int64Array
from worker.lives.life import CensoredLife

FEWEST: Final = 10
"""So many lives must have ended in the plant before anything is said."""

DRAWS: Final = 200
"""Parameters drawn from the posterior, which an answer is the mean of."""

_FURTHEST: Final = 6.0
"""So many standard deviations from 0 no stratum's effect is looked for."""
_NODES: Final = np.linspace(-1.0, 1.0, 65)
"""Where the effect of a stratum is evaluated, from end to end of where it may be: the trapezoidal rule, all but exact
for a smooth function that has vanished at both ends. The more lives, the narrower that is (`_places`)."""
_SEARCHED: Final = np.linspace(-1.0, 1.0, 17)
"""Where it is looked for, each time eight times nearer at most."""
_SEARCHES: Final = 4
_VANISHED: Final = 40.0
"""What is by so much smaller, on the logarithm, counts no more."""
_LARGEST: Final = 690.0
"""The largest logarithm of a hazard: beyond is no number."""

_SHAPE: Final = ((math.log(2.5), 0.5), (0.0, 0.25))
"""Mean and standard deviation of the logarithm of a shape: of wear, of breakage."""
_SPREAD: Final = (math.log(0.25), 0.7)
"""The same of how far strata differ."""
_SCALE_WIDTH: Final = 2.0
"""How far the logarithm of a scale may be from that of the median age: hardly a restriction."""
_BOUND: Final = 4.0
"""So many of these widths from the mean is nothing searched: there the arithmetic overflows."""


@dataclass(frozen=True, eq=False)
class WeibullFit:
    """Draws of the posterior (d,), and of each stratum's effect (d,) on the logarithm of wear's scale.

    `scale` and `shape` are of wear, those of `breakage` of breakage, None where no insert was said to have broken;
    `spread` is the standard deviation of the strata. `lives` counts those that ended, by stratum.
    """

    scale: Float64Array
    shape: Float64Array
    spread: Float64Array
    breakage: tuple[Float64Array, Float64Array] | None
    effects: dict[Hashable, Float64Array]
    lives: dict[Hashable, int]

    def curve(self, stratum: Hashable, age: float = 0.0) -> SurvivalCurve:
        """How long an insert of that stratum and age lasts; one of a stratum without lives as any of the plant's."""
        effect = self.effects.get(stratum)
        if effect is None:
            effect = self.spread * _spread_evenly(len(self.spread))
        start = self._hazard(effect, np.array([age]))
        furthest = float(np.exp(np.log(self.scale) + effect).max())
        return curve_of(lambda operations: self._intact(effect, age, operations, start), furthest)

    def unbroken_after(self, age: float, operations: Float64Array) -> Float64Array:
        """The share of inserts of that age that nothing has broken after so many operations (n,) more."""
        if self.breakage is None:
            return np.ones(len(operations))
        scale, shape = (of[:, None] for of in self.breakage)
        share: Float64Array = np.exp((age / scale) ** shape - ((age + operations) / scale) ** shape).mean(axis=0)
        return share

    def intact_after(self, stratum: Hashable, ages: Float64Array) -> Float64Array:
        """The share of new inserts of a stratum that is intact at these ages (n,)."""
        effect = self.effects[stratum]
        return self._intact(effect, 0.0, ages, np.zeros((len(effect), 1)))

    def _intact(self, effect: Float64Array, age: float, operations: Float64Array, start: Float64Array) -> Float64Array:
        share: Float64Array = np.exp(start - self._hazard(effect, age + operations)).mean(axis=0)
        return share

    def _hazard(self, effect: Float64Array, ages: Float64Array) -> Float64Array:
        """The cumulative hazard (d, n) of each draw at the ages (n,)."""
        scale = np.exp(np.log(self.scale) + effect)[:, None]
        hazard: Float64Array = (ages / scale) ** self.shape[:, None]
        if self.breakage is not None:
            hazard = hazard + (ages / self.breakage[0][:, None]) ** self.breakage[1][:, None]
        return hazard


def curve_of(intact_after: Callable[[Float64Array], Float64Array], furthest: float) -> SurvivalCurve:
    """The curve of the share that is intact after so many operations (n,), of which `furthest` is a first guess."""
    while intact_after(np.array([furthest]))[0] > LEVELS[-1] / 2:
        furthest *= 2
    operations = np.geomspace(furthest * 1e-5, furthest, 160)
    # On the logarithms the curve is all but straight: a Weibull of a new insert is a line there.
    hazard = np.log(np.maximum(-np.log(np.maximum(intact_after(operations), 1e-300)), 1e-12))
    levels = np.log(-np.log(np.array(LEVELS)))
    at = np.exp(np.interp(levels, np.maximum.accumulate(hazard), np.log(operations)))
    return SurvivalCurve(tuple(float(x) for x in np.maximum.accumulate(at * (1 + 1e-9 * np.arange(len(at))))))


def fit(lives: Sequence[CensoredLife], seed: int = 0) -> WeibullFit | None:
    """Fit to these lives; None while fewer than `FEWEST` have ended. The same lives and seed give the same answers."""
    if sum(life.has_ended for life in lives) < FEWEST:
        return None
    data = _Data.of(lives)
    means, widths = data.prior()
    lowest, highest = means - _BOUND * widths, means + _BOUND * widths
    best = minimize(
        lambda at: -_posterior(at, data), means, method="L-BFGS-B", bounds=list(zip(lowest, highest, strict=True))
    ).x
    rng = np.random.default_rng(seed)
    draws = rng.multivariate_normal(best, _covariance(best, data), size=DRAWS, method="eigh").clip(lowest, highest)
    effects = np.stack([_effects(draw, data, uniform) for draw, uniform in zip(draws, rng.random(DRAWS), strict=True)])
    ended = dict.fromkeys(data.strata, 0)
    for life in lives:
        ended[life.stratum] += life.has_ended
    scale, shape, spread = np.exp(draws[:, :3].T)
    breakage = (np.exp(draws[:, 3]), np.exp(draws[:, 4])) if data.breaks else None
    by_stratum = {stratum: effects[:, number] for number, stratum in enumerate(data.strata)}
    return WeibullFit(scale, shape, spread, breakage, by_stratum, ended)


_UNNAMED, _WORN, _BROKEN = range(3)
_KINDS: Final[dict[str | None, int]] = {"worn": _WORN, "broken": _BROKEN}
"""The kinds of damage that have a law of their own; any other counts as if nobody had named it."""


@dataclass(frozen=True, eq=False)
class _Data:
    """Lives as arrays, equal ones once: `count` (n,) says how often; `kind` is one of `_KINDS`, or not named."""

    strata: list[Hashable]
    stratum: Int64Array
    entry: Float64Array
    low: Float64Array
    high: Float64Array
    kind: Int64Array
    count: Int64Array
    breaks: bool

    @classmethod
    def of(cls, lives: Sequence[CensoredLife]) -> _Data:
        strata = list(dict.fromkeys(life.stratum for life in lives))
        number = {stratum: place for place, stratum in enumerate(strata)}
        rows = np.array(
            [(number[it.stratum], it.entry, it.low, it.high, _KINDS.get(it.kind, _UNNAMED)) for it in lives], np.float64
        )
        unique, count = np.unique(rows, axis=0, return_counts=True)
        stratum, entry, low, high, kind = unique.T
        as_int = np.int64
        return cls(
            strata, stratum.astype(as_int), entry, low, high, kind.astype(as_int), count, bool((kind == _BROKEN).any())
        )

    def prior(self) -> tuple[Float64Array, Float64Array]:
        """Means and widths of the logarithms of scale, shape and spread, and of breakage's scale and shape."""
        middle = math.log(float(np.median(np.where(np.isfinite(self.high), self.high, self.low))) + 1)
        priors = [(middle, _SCALE_WIDTH), _SHAPE[0], _SPREAD, (middle + 2, _SCALE_WIDTH), _SHAPE[1]]
        means, widths = np.array(priors if self.breaks else priors[:3]).T
        return means, widths


def _likelihoods(at: Float64Array, data: _Data, places: Float64Array) -> Float64Array:
    """The logarithm of each stratum's likelihood (s, nodes), given its effect at these places (s, nodes)."""
    log_scale, shape, spread = at[0], *np.exp(at[1:3])
    by_effect = (-shape * spread * places)[data.stratum]  # the logarithm of wear's hazard over the plant's

    def wear(ages: Float64Array, rows: Any = slice(None)) -> Float64Array:
        plant = shape * (np.log(np.maximum(ages, 1e-300)) - log_scale)
        hazard: Float64Array = np.exp(np.minimum(plant[:, None] + by_effect[rows], _LARGEST))
        return hazard

    def breakage(ages: Float64Array) -> Any:
        return ((ages / math.exp(at[3])) ** math.exp(at[4]))[:, None] if data.breaks else 0.0

    result: Float64Array = np.zeros(places.shape)
    survived = wear(data.entry) + breakage(data.entry) - wear(data.low) - breakage(data.low)
    ended = np.isfinite(data.high)
    low, high = data.low[ended], data.high[ended]
    worn, broken = wear(high, ended) - wear(low, ended), breakage(high) - breakage(low)
    hazard = np.maximum(worn + broken, 1e-300)
    by_kind = np.where(
        (data.kind[ended] == _WORN)[:, None], worn, np.where((data.kind[ended] == _BROKEN)[:, None], broken, hazard)
    )
    survived[ended] += np.log(-np.expm1(-hazard)) + np.log(np.maximum(by_kind, 1e-300) / hazard)
    np.add.at(result, data.stratum, survived * data.count[:, None])
    return result


def _weighed(at: Float64Array, data: _Data) -> tuple[Float64Array, Float64Array]:
    """The same with the effects' normal density, and its places; the sum over the nodes is the likelihood."""
    places = _places(at, data)
    steps = places[:, 1:2] - places[:, :1]
    return _likelihoods(at, data, places) - places**2 / 2 + np.log(steps / math.sqrt(2 * math.pi)), places


def _places(at: Float64Array, data: _Data) -> Float64Array:
    """Where each stratum's effect is evaluated (s, nodes), in its standard deviations: where it may be at all.

    One grid for all would lie with all its nodes beside the effect of a stratum with thousands of lives.
    """
    low = np.full((len(data.strata), 1), -_FURTHEST)
    high = -low
    for _ in range(_SEARCHES):
        places = _between(low, high, _SEARCHED)
        density = _likelihoods(at, data, places) - places**2 / 2
        counts = density > density.max(axis=1, keepdims=True) - _VANISHED
        last = len(_SEARCHED) - 1
        first = np.maximum(counts.argmax(axis=1) - 1, 0)
        end = np.minimum(last - counts[:, ::-1].argmax(axis=1) + 1, last)
        rows = np.arange(len(places))
        low, high = places[rows, first][:, None], places[rows, end][:, None]
    return _between(low, high, _NODES)


def _between(low: Float64Array, high: Float64Array, nodes: Float64Array) -> Float64Array:
    places: Float64Array = (low + high) / 2 + (high - low) / 2 * nodes
    return places


def _posterior(at: Float64Array, data: _Data) -> float:
    """The logarithm of the parameters' posterior density, but for a constant."""
    weighed, _ = _weighed(at, data)
    top = weighed.max(axis=1, keepdims=True)
    likelihood = float((top[:, 0] + np.log(np.exp(weighed - top).sum(axis=1))).sum())
    means, widths = data.prior()
    return likelihood - float((((at - means) / widths) ** 2).sum()) / 2


def _covariance(at: Float64Array, data: _Data) -> Float64Array:
    """The inverse of minus the posterior's second derivatives, by central differences."""
    size, step = len(at), 1e-2
    unit = np.eye(size) * step

    def second(i: int, j: int) -> float:
        signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
        return sum(sign * _posterior(at + a * unit[i] + b * unit[j], data) for a, b, sign in signs) / (4 * step**2)

    curvature = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            curvature[i, j] = curvature[j, i] = -second(i, j)
    values, vectors = np.linalg.eigh(curvature)
    # Nothing is known less well than before: the widest prior bounds it.
    inverse: Float64Array = (vectors / np.maximum(values, 1 / _SCALE_WIDTH**2)) @ vectors.T
    return inverse


def _effects(at: Float64Array, data: _Data, uniform: float) -> Float64Array:
    """A draw of each stratum's effect (s,), given the parameters."""
    weighed, places = _weighed(at, data)
    shares = np.cumsum(np.exp(weighed - weighed.max(axis=1, keepdims=True)), axis=1)
    shares /= shares[:, -1:]
    places_drawn = np.array([np.interp(uniform, of, where) for of, where in zip(shares, places, strict=True)])
    effects: Float64Array = math.exp(at[2]) * places_drawn
    return effects


def _spread_evenly(count: int) -> Float64Array:
    """So many standard normal values, evenly by their quantiles, in an order of their own."""
    values: Float64Array = norm.ppf((np.arange(count) + 0.5) / count)
    return np.random.default_rng(0).permutation(values)
