"""The lab's recipe as plain values: its settings, and the result of one backbone on one labelled set."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from producer.runtime.arrays import Int64Array
from worker.dataset.labelled_folder import LabelledFolder
from worker.evaluation.splits import SplitScore


class NetworkFigures(Protocol):
    """The size of a whole network."""

    @property
    def layers(self) -> int:
        """Number of Keras layers."""

    @property
    def parameters(self) -> int:
        """Number of parameters."""

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image."""


@dataclass(frozen=True)
class Recipe:
    """The settings of an experiment; the defaults are the lab's, except for its pitfalls."""

    test_size: float = 0.3
    repeats: int = 5
    stratify: bool = True
    lab_preprocessing: bool = False
    group_column: str | None = None
    batch: int = 32
    keep_duplicates: bool = False
    C: float = 1.0


@dataclass(frozen=True)
class RepeatedScores:
    """The scores of all splits of one kind."""

    splits: tuple[SplitScore, ...]

    @property
    def accuracy(self) -> list[float]:
        """Each split's share of correct predictions."""
        return [split.accuracy for split in self.splits]

    @property
    def macro_recall(self) -> list[float]:
        """Each split's mean recall over the classes."""
        return [split.macro_recall for split in self.splits]

    @property
    def confusion(self) -> Int64Array:
        """All splits' confusion matrices added up, (k, k): row the true class, column the predicted one."""
        return np.asarray(np.sum([split.confusion for split in self.splits], axis=0), np.int64)


@dataclass(frozen=True)
class BackboneResult:
    """The result of one backbone on one labelled set. Times are seconds of this machine's clock."""

    dataset: LabelledFolder
    """The set as used: without the images that this backbone could not process."""
    backbone: str
    family: str
    feature_size: int
    input_size: tuple[int, int]
    layers: int
    parameters: int
    multiply_adds: int
    network: NetworkFigures
    model_id: str
    scores: RepeatedScores
    grouped: RepeatedScores | None
    grouped_problem: str | None
    """Why there are groups but no grouped scores."""
    seconds_reading: float
    """Reading, decoding and resizing one image."""
    seconds_network: float
    """Preprocessing one image and its share of a batch's forward pass."""
    seconds_gram: float
    seconds_evaluation: float
    """The Gram matrix and all repeats of the plain splits."""
    calibrated: RepeatedScores | None = None
    """The plain splits with the calibrated cut; None where it cannot be taken, as with three classes."""
    grouped_calibrated: RepeatedScores | None = None

    @property
    def seconds_per_image(self) -> float:
        """From an image file to its features."""
        return self.seconds_reading + self.seconds_network

    @property
    def seconds_per_fit(self) -> float:
        """One fit of the SVM, given the Gram matrix."""
        return float(np.mean([split.seconds_fit for split in self.scores.splits]))
