"""What a second way of calibration says of a model's probabilities. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CalibrationCheck:
    """The calibrated probabilities of some photographs, beside the intervals of a Venn-Abers predictor.

    Half of the intervals are no wider than `width`, and on average a probability lies `outside` its interval by so
    much (0 where it is in it). The band decides the share `decided` of the photographs by their probability, and
    `decided_by_both` on the same side by either end of the interval.
    """

    photographs: int
    width: float
    outside: float
    decided: float
    decided_by_both: float

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> CalibrationCheck | None:
        """Return the check among a model's metrics; None for a model of before."""
        values = metrics.get("calibration_check")
        return None if values is None else cls(**values)

    def sentence(self) -> str:
        """Return it in plain words."""
        return (
            f"Venn-Abers, of {self.photographs:,} photographs: half of the probabilities are known to within "
            f"{self.width:.3f}, and the calibrated ones lie {self.outside:.3f} outside on average; {self.decided:.0%} "
            f"of the photographs are decided, {self.decided_by_both:.0%} by either end of the interval."
        )
