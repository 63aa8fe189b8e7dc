"""Which share of damaged inserts a model takes for usual, and that of the line. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prior:
    """The share `damaged` of the `photographs` that a model learned from, `imported` of them from folders.

    `line` is the share of the line's inserts, None where fewer than enough of its `reviews` by chance told it. `used`
    is the share that the probabilities take for usual, by `by_chance` labels that stand for the line
    (`worker.models.label_weights`); None where these were too few: then it is that of all labels.
    """

    damaged: float
    photographs: int
    imported: int
    line: float | None
    reviews: int
    used: float | None = None
    by_chance: int = 0

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Prior | None:
        """Return the prior among a model's metrics; None for a model of before."""
        values = metrics.get("prior")
        return None if values is None else cls(**values)

    def sentence(self) -> str:
        """Return it in plain words."""
        imported = f", {self.imported:,} of them imported" if self.imported else ""
        labels = f"{self.photographs:,} labels{imported}"
        learned = f"the probabilities take {self.damaged:.1%} damaged for usual, as {labels}"
        if self.used is not None:
            learned = (
                f"the probabilities take {self.used:.1%} damaged for usual, by {self.by_chance:,} labels that chance "
                f"chose, each for as many verdicts as it stands for; of all {labels}, {self.damaged:.1%} are damaged"
            )
        if self.line is None:
            of_line = f"of the line {self.reviews:,} reviews by chance are too few, or too few of one outcome,"
            return f"{learned}; {of_line} to tell its share"
        return f"{learned}; of the line {self.line:.1%} are, by {self.reviews:,} reviews by chance"
