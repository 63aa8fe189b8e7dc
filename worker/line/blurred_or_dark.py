"""Finds photographs that are blurred, covered, dark, burnt out or repeated, by what is usual at their station.

Such faults of a capture are no damage.

Absolute limits do not carry over from one station to another: the sharpness of a good photograph differs tenfold
between cameras. So a photograph is compared with the good ones of its own station. A photograph that shows nothing at
any station (`worker.images.exposure`) is refused before that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from db.line.station_history import Photographed
from producer.contract.places import PocketPlace
from producer.contract.reasons import photographs
from producer.contract.reasons.template import Reason
from worker.images.measurements import Measurements

FEWEST: Final = 30
"""Good photographs of a station, below which nothing is said about another one."""

BLURRED_BELOW: Final = 0.25
"""Of the median sharpness."""

SOFT_BELOW: Final = 0.7
"""The same where a person looks: the photograph shows the insert, and a slight blur may hide its damage."""

SOFTER_THAN_SOFTEST: Final = 0.85
"""The share of what one good photograph in a hundred is less sharp than, below which a person looks."""

DARK_BELOW: Final = 0.5
"""Of the median brightness."""

BURNT_FROM: Final = 0.25
"""The share of pixels at the upper end."""

COVERED_BELOW: Final = 32
"""The contrast of what is not sharp anywhere: a blurred photograph keeps its light and dark parts, a cover does not."""

_REPEATS_ARE_USUAL: Final = 0.25
"""The share of a station's photographs that are alike pixel for pixel but show different inserts: no camera produces
this, but a person who tries the line with a few pictures does."""


@dataclass(frozen=True)
class Usual:
    """What is usual at one station, by its good photographs.

    The medians; what one in a hundred is darker, brighter or less sharp than, and one in twenty less sharp than.
    """

    sharpness: float
    sharpness_1_percent: float
    sharpness_5_percent: float
    brightness: float
    darkest: float
    brightest: float
    repeats: bool

    @classmethod
    def of(cls, good: Sequence[Photographed]) -> Self | None:
        """What is usual by these; None where they are too few."""
        if len(good) < FEWEST:
            return None
        sharpness_1_percent, sharpness_5_percent, sharpness = np.percentile(
            [photograph.sharpness for photograph in good], (1, 5, 50)
        )
        darkest, brightness, brightest = np.percentile([photograph.brightness for photograph in good], (1, 50, 99))
        shown = Counter(frame for frame, _ in {(photograph.frame, photograph.place) for photograph in good})
        repeated = sum(shown[photograph.frame] > 1 for photograph in good)
        return cls(
            float(sharpness),
            float(sharpness_1_percent),
            float(sharpness_5_percent),
            float(brightness),
            float(darkest),
            float(brightest),
            repeated >= _REPEATS_ARE_USUAL * len(good),
        )


def unlike_usual(seen: Measurements, usual: Usual) -> Reason | None:
    """Why a photograph cannot be a good one of its station, and what to do; or None.

    A property that a few of the good ones have is never a fault: a station may look at inserts of two kinds.
    """
    if seen.brightness < min(DARK_BELOW * usual.brightness, usual.darkest):
        return photographs.DARK(share=seen.brightness / usual.brightness)
    if seen.burnt >= BURNT_FROM and seen.brightness > usual.brightest:
        return photographs.BURNT_OUT(share=seen.burnt)
    if seen.sharpness < min(BLURRED_BELOW * usual.sharpness, usual.sharpness_5_percent):
        share = seen.sharpness / usual.sharpness
        return (photographs.COVERED if seen.contrast < COVERED_BELOW else photographs.BLURRED)(share=share)
    return None


def less_sharp(seen: Measurements, usual: Usual) -> Reason | None:
    """Why a person must look at a photograph that shows too much to be refused; or None."""
    if seen.sharpness < min(SOFT_BELOW * usual.sharpness, SOFTER_THAN_SOFTEST * usual.sharpness_1_percent):
        return photographs.SOFT(share=seen.sharpness / usual.sharpness)
    return None


def same_frame(place: PocketPlace, frame: int, before: tuple[int, PocketPlace] | None, usual: Usual) -> Reason | None:
    """Why a photograph is the previous one again, submitted for another insert; or None.

    For the same insert it may be submitted twice.
    """
    if before is None or usual.repeats or before[0] != frame or before[1] == place:
        return None
    machine, head, pocket = before[1]
    return photographs.STUCK(pocket=pocket, head=head, machine=machine)
