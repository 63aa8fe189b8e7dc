"""The Kaplan–Meier estimate of how many inserts are still intact at which age: no model, so a check on one.

Kaplan and Meier, J. Amer. Statist. Assoc. 53 (1958) 457–481, with left truncation (the insert counts as at risk from
the age at which it was first seen). Damage counts in the middle between the two looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from producer.runtime.arrays import Float64Array
from worker.lives.life import CensoredLife


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """`intact` (n,) is the share that is still intact from each of the rising `ages` (n,) on, at which some ended."""

    ages: Float64Array
    intact: Float64Array

    def at(self, age: float) -> float:
        """The share that is intact just after an age."""
        place = int(np.searchsorted(self.ages, age, side="right"))
        return float(self.intact[place - 1]) if place else 1.0

    def remaining(self, age: float, level: float) -> float:
        """The operations after which that share of the inserts intact at `age` is still intact.

        The last age at which one ended where fewer have ended by then than the share asks for.
        """
        left = np.flatnonzero((self.intact <= level * self.at(age)) & (self.ages > age))
        last = self.ages[left[0]] if len(left) else self.ages[-1] if len(self.ages) else age
        return max(0.0, float(last) - age)

    def cheapest_age(self, planned: float, damaged: float) -> float:
        """The age at which changing costs least (`db.learning.change_cost`); infinite where nothing has ended."""
        if not len(self.ages):
            return float("inf")
        edges = np.concatenate([[0.0], self.ages])
        shares = np.concatenate([[1.0], self.intact])
        done = np.cumsum(np.diff(edges) * shares[:-1])
        # Just before each age: what ends at it has not ended yet.
        rates = (planned * shares[:-1] + damaged * (1 - shares[:-1])) / done
        return float(self.ages[int(np.argmin(rates))])


def kaplan_meier(lives: Sequence[CensoredLife]) -> KaplanMeier:
    """Estimate from these lives."""
    entry = np.array([life.entry for life in lives])
    ended = np.array([life.has_ended for life in lives], bool)
    exit_ = np.array([(life.low + life.high) / 2 if life.has_ended else life.low for life in lives])
    ages, events = np.unique(exit_[ended], return_counts=True) if len(lives) else (np.empty(0), np.empty(0))
    at_risk = np.array([np.count_nonzero((entry < age) & (exit_ >= age)) for age in ages])
    return KaplanMeier(ages.astype(np.float64), np.cumprod(1 - events / np.maximum(at_risk, 1)).astype(np.float64))
