"""How good answers about remaining lives are: asked again and again in the past, held against what came of it.

At each origin what was known then is fitted, each insert in use is asked about, and its later end is the truth. A life
is whole on one side: what it came to later is in no fit that it is asked of (rolling origin; Tashman, Int. J.
Forecasting 16 (2000) 437–450).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from db.learning.change_cost import ChangeCosts, best_age
from worker.lives.kaplan_meier import KaplanMeier, kaplan_meier
from worker.lives.life import CensoredLife
from worker.lives.weibull import FEWEST, WeibullFit, fit

QUANTILES: Final = (0.1, 0.5, 0.9)
"""The shares of ended inserts at the low end, the middle and the high end of an answer."""

METHODS: Final = ("weibull", "kaplan_meier")


@dataclass(frozen=True)
class FollowedLife:
    """A life with its looks: `ages` of the insert in operations, at `times` of the plant.

    `truth` is the age at which it really ended, None where nobody knows it better than from its looks.
    """

    life: CensoredLife
    ages: Sequence[float]
    times: Sequence[float]
    truth: float | None = None

    def known_at(self, time: float) -> CensoredLife | None:
        """What was known of it then; None before its first look."""
        looks = bisect_right(self.times, time)
        if looks == 0:
            return None
        age = self.ages[looks - 1]
        if self.life.high <= age:
            return self.life
        return replace(self.life, low=max(self.life.entry, min(self.life.low, age)), high=math.inf, kind=None)

    def is_in_use(self, time: float) -> bool:
        """Whether it was looked at before and was neither damaged nor changed yet."""
        return self.times[0] <= time < self.times[-1]

    @property
    def end(self) -> float | None:
        """The age at which it ends: the truth, or the middle of the interval; None where nobody knows it."""
        if self.truth is not None:
            return self.truth
        return (self.life.low + self.life.high) / 2 if self.life.has_ended else None


@dataclass
class MethodScore:
    """What one method's answers came to."""

    answers: int = 0
    covered: int = 0
    loss: float = 0.0
    """The sum of the pinball losses, in operations: the mean over `QUANTILES`."""

    def take(self, answer: Sequence[float], truth: float) -> None:
        """Note an answer at `QUANTILES`, in operations from the origin as the truth is."""
        self.answers += 1
        self.covered += answer[0] <= truth <= answer[-1]
        errors = [(truth - value, share) for value, share in zip(answer, QUANTILES, strict=True)]
        self.loss += float(np.mean([max(share * error, (share - 1) * error) for error, share in errors]))

    @property
    def coverage(self) -> float:
        """The share of truths within the interval; 0.8 is what it says."""
        return self.covered / self.answers if self.answers else math.nan

    @property
    def pinball(self) -> float:
        """The mean pinball loss: less is better."""
        return self.loss / self.answers if self.answers else math.nan


@dataclass
class Bill:
    """What one rule for changing inserts cost, in planned changes."""

    cost: float = 0.0
    operations: float = 0.0

    def take(self, age: float, end: float, costs: ChangeCosts) -> None:
        """Note an insert that is changed at `age`, or when it is damaged at `end` before."""
        self.cost += costs.planned if end > age else costs.damaged
        self.operations += min(age, end)

    @property
    def rate(self) -> float:
        """The cost of a hundred operations."""
        return 100 * self.cost / self.operations if self.operations else math.nan


@dataclass
class JudgedMethods:
    """Scores and bills by method; the bills' `fixed` is one age for the plant, the cheapest in hindsight of the origin.

    Their `until_damaged` is that of leaving each insert in until it is damaged.
    """

    scores: dict[str, MethodScore] = field(default_factory=lambda: {name: MethodScore() for name in METHODS})
    bills: dict[str, Bill] = field(
        default_factory=lambda: {name: Bill() for name in (*METHODS, "fixed", "until_damaged")}
    )


def judge(
    lives: Sequence[FollowedLife], origins: Iterable[float], costs: ChangeCosts, judged: JudgedMethods | None = None
) -> JudgedMethods:
    """Ask at each of the origins (times), and count in `judged` where there is one already.

    A life whose end nobody knows, since it was changed while it was intact, is not asked about.
    """
    judged = judged or JudgedMethods()
    for origin in origins:
        known = [life for followed in lives if (life := followed.known_at(origin)) is not None]
        model = fit(known)
        if model is None:
            continue
        estimates = _by_stratum(known)
        rules = {
            stratum: _change_ages(model, estimates, stratum, costs) for stratum in {it.life.stratum for it in lives}
        }
        for followed in lives:
            if (end := followed.end) is None:
                continue
            if followed.is_in_use(origin):
                age = followed.ages[bisect_right(followed.times, origin) - 1]
                if end > age:
                    _ask(judged, model, estimates, followed.life, age, end - age)
            elif followed.times[0] > origin:
                for name, age in rules[followed.life.stratum].items():
                    judged.bills[name].take(age, end, costs)
    return judged


def _by_stratum(known: Sequence[CensoredLife]) -> Mapping[object, KaplanMeier]:
    """An estimate for each stratum in which enough lives have ended, and under None one for the plant."""
    result: dict[object, KaplanMeier] = {None: kaplan_meier(known)}
    for stratum in {life.stratum for life in known}:
        of_it = [life for life in known if life.stratum == stratum]
        if sum(life.has_ended for life in of_it) >= FEWEST:
            result[stratum] = kaplan_meier(of_it)
    return result


def _ask(
    judged: JudgedMethods,
    model: WeibullFit,
    estimates: Mapping[object, KaplanMeier],
    life: CensoredLife,
    age: float,
    truth: float,
) -> None:
    curve = model.curve(life.stratum, age)
    judged.scores["weibull"].take((curve.interval[0], curve.median, curve.interval[1]), truth)
    estimate = estimates.get(life.stratum, estimates[None])
    judged.scores["kaplan_meier"].take([estimate.remaining(age, 1 - share) for share in QUANTILES], truth)


def _change_ages(
    model: WeibullFit, estimates: Mapping[object, KaplanMeier], stratum: Hashable, costs: ChangeCosts
) -> dict[str, float]:
    """The age at which each rule changes an insert of a stratum."""
    own = estimates.get(stratum, estimates[None])
    return {
        "weibull": best_age(model.curve(stratum), costs)[0],
        "kaplan_meier": own.cheapest_age(costs.planned, costs.damaged),
        "fixed": estimates[None].cheapest_age(costs.planned, costs.damaged),
        "until_damaged": math.inf,
    }
