"""The upper bound of a model's error that may be promised, by how many inserts it was calibrated on.

Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

CONFIDENCE: Final = 0.95
"""The confidence at which an error rate is promised."""

GOAL: Final = 0.01
"""The error rate that a line wants to have promised: 99 % of what is decided is right."""


@dataclass(frozen=True)
class ErrorBound:
    """What came of the decisions about inserts that the deciding plane had not seen.

    Of `inserts`, `decided` had an image that the band decides, `wrong` of them one that it decides wrongly. At
    `CONFIDENCE` no more than the share `at_most` of what is decided is wrong. `missing` more labelled inserts would
    promise `GOAL`, if none of them were decided wrongly.
    """

    inserts: int
    decided: int
    wrong: int
    at_most: float
    missing: int

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> ErrorBound | None:
        """Return the bound among a model's metrics; None for an older model."""
        values = metrics.get("promise")
        return None if values is None else cls(**values)

    def sentence(self) -> str:
        """Return it in plain words."""
        missing = f"{self.missing:,} more labelled inserts are missing to promise {GOAL:.0%}"
        if not self.decided:
            return f"Cross-validation decides none of {self.inserts:,} inserts: nothing can be promised, and {missing}."
        return (
            f"Cross-validation decides {self.decided:,} of {self.inserts:,} inserts, {self.wrong:,} of them wrongly: "
            f"at {CONFIDENCE:.0%} confidence at most {self.at_most:.1%} of what is decided is wrong"
            + ("." if not self.missing else f"; {missing}.")
        )
