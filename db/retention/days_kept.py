"""How many days things are kept where no option says otherwise: for `insert-db prune` and `insert-worker plan`.

A module of its own, so that a command that only needs the numbers loads no database.
"""

from __future__ import annotations

from typing import Final

DAYS_OF_IMAGES: Final = {"intact": 90, "damaged": 365, "unsure": 365, "unusable": 90}
"""How long photographs are kept, by outcome: what is rare and informative, longer."""

DAYS_OF_VERDICTS: Final = 1095
"""How long whole checks are kept, with their captures, verdicts and shadow verdicts."""

DAYS_OF_SHADOWS: Final = 180
"""How long the verdicts of models in shadow are kept."""

DAYS_OF_FAULTS: Final = 365
"""How long faults are kept that are closed or dismissed."""


def mean_days_of_images(damaged: float, verdicts: float = DAYS_OF_VERDICTS) -> float:
    """How many days a photograph is kept on average.

    Args:
        damaged: the share of all photographs that are damaged or unsure.
        verdicts: days that checks are kept; photographs are deleted with theirs.
    """
    days = {outcome: min(float(kept), verdicts) for outcome, kept in DAYS_OF_IMAGES.items()}
    return damaged * max(days["damaged"], days["unsure"]) + (1 - damaged) * days["intact"]
