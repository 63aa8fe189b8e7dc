"""Plants whose inserts' lives are known, to hold answers against: some heads wear faster, some inserts break."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.rolling_origin import FollowedLife
from producer.contract.vocabulary import DamageKind
from worker.lives.life import CensoredLife


@dataclass(frozen=True)
class SimulatedPlant:
    """`heads` of `pockets` each, looked at after every operation for so many `operations`, from new inserts on.

    Wear is a Weibull law of that `shape` and median `scale`, which differs from head to head by `spread` on the
    logarithm; an operation breaks an insert with the chance `breaks`. An insert is changed when it is found damaged, or
    with the chance `early` a look while it is intact.
    """

    heads: int = 8
    pockets: int = 6
    operations: int = 120
    shape: float = 2.5
    scale: float = 25.0
    spread: float = 0.3
    breaks: float = 0.004
    early: float = 0.003

    def lives(self, seed: int) -> list[FollowedLife]:
        """All lives, also those that nobody has seen the end of; the same seed gives the same."""
        rng = np.random.default_rng(seed)
        result = []
        for head in range(self.heads):
            scale = self.scale * float(np.exp(rng.normal(0, self.spread)))
            for _ in range(self.pockets):
                begun = 0
                while begun < self.operations:
                    life = self._life(rng, f"head-{head}", scale, begun)
                    result.append(life)
                    begun = int(life.times[-1])
        return result

    def _life(self, rng: np.random.Generator, head: str, scale: float, begun: int) -> FollowedLife:
        worn = scale * float(rng.weibull(self.shape))
        broken = float(rng.exponential(1 / self.breaks)) if self.breaks else np.inf
        ends = min(worn, broken)
        damaged_at = int(np.floor(ends)) + 1  # the look after the operation in which it was damaged
        removed = int(rng.geometric(self.early)) if self.early else damaged_at
        last = min(damaged_at, removed, self.operations - begun)
        ages = tuple(float(age) for age in range(1, last + 1))
        kind: DamageKind = "worn" if worn < broken else "broken"
        life = CensoredLife(head, damaged_at - 1, damaged_at, kind) if last == damaged_at else CensoredLife(head, last)
        return FollowedLife(life, ages, tuple(begun + age for age in ages), ends)
