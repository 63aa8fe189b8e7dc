"""Lives that nobody can believe: an insert whose counter was not set back when it was changed, say.

One insert that is said to have done 5,000 operations where all others of its head end after 20 would make nonsense of
every answer of the plant: no shape of a law has room for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np

from worker.lives.life import CensoredLife
from worker.lives.weibull import FEWEST

BEYOND: Final = 5.0
"""So many times the age by which nine of ten ended: where wear or breakage grow no rarer with age, one in 100,000."""

SHARE: Final = 0.05
"""More than one, and than this share of a stratum, are no mistake in counting: inserts last longer there by now."""


def miscounted(lives: Sequence[CensoredLife]) -> set[int]:
    """The places of the lives that are left out: too long to be true beside the others of their stratum."""
    of_stratum: dict[Hashable, list[int]] = defaultdict(list)
    for place, life in enumerate(lives):
        of_stratum[life.stratum].append(place)
    result: set[int] = set()
    for places in of_stratum.values():
        ended = [lives[place].high for place in places if lives[place].has_ended]
        if len(ended) < FEWEST:
            continue
        longest = BEYOND * float(np.quantile(ended, 0.9))
        beyond = {place for place in places if lives[place].low > longest}
        if len(beyond) <= max(1.0, SHARE * len(places)):
            result |= beyond
    return result
