import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from worker.evaluation.charts import figures, total_confusion
from worker.evaluation.cross_validation import CrossValidation, SplitResult
from worker.evaluation.drawing import PALETTE
from worker.evaluation.scores import scores
from worker.models.calibration import Calibration
from worker.models.costs import Costs
from worker.models.unsure_band import Band

START = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = {"confusion.png", "roc.png", "calibration.png", "decided.png", "accuracy_over_time.png"}


def assessment(labels, decisions, splits=2) -> CrossValidation:
    calibration, rows = Calibration(1.0, 0.0), np.arange(len(labels))
    measured = scores(decisions, labels, calibration, Band(0.5, 0.5, 0.5), Costs())
    answered = [
        SplitResult(seed, rows, decisions, calibration.probabilities(decisions), measured) for seed in range(splits)
    ]
    return CrossValidation("grouped", tuple(answered), 3 / 7)


def drawn(assessments, labels, apart=timedelta(hours=1)):
    found = figures(assessments, labels, [START + row * apart for row in range(len(labels))], Costs())
    assert found.keys() == NAMES
    return {name: np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int) for name, png in found.items()}


def amount(image, colour):
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(image - wanted) < 40).all(axis=2).sum())


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    return labels, [assessment(labels, (2 * labels - 1) * apart + rng.normal(size=120)) for apart in (2.0, 1.0, 0.2)]


def test_each_kind_and_the_champion_have_a_line_of_their_own(answers):
    labels, (plain, grouped, champion) = answers
    alone = drawn({"plain": (plain, None)}, labels)
    both = drawn({"plain": (plain, None), "grouped": (grouped, None)}, labels)
    all_three = drawn({"plain": (plain, champion), "grouped": (grouped, champion)}, labels)
    for name in NAMES - {"confusion.png"}:
        for found, lines in ((alone, 1), (both, 2), (all_three, 3)):
            shown = [amount(found[name], colour) > 100 for colour in PALETTE[:4]]
            assert shown == [number < lines for number in range(4)], (name, lines)
    widths = [found["confusion.png"].shape[1] for found in (alone, both, all_three)]
    assert widths[0] < widths[1] < widths[2]


def test_the_better_model_s_roc_curve_lies_above(answers):
    labels, (good, _, bad) = answers
    image = drawn({"plain": (good, None), "grouped": (bad, None)}, labels)["roc.png"]
    inside = image[: image.shape[0] // 2, : image.shape[1] // 2]  # where the legend is not
    rows = []
    for colour in PALETTE[:2]:
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        rows.append(np.nonzero((np.abs(inside - wanted) < 40).all(axis=2))[0].mean())
    assert rows[0] < rows[1]


def test_a_perfect_model_on_two_images_of_one_moment_can_be_drawn():
    labels = np.array([0, 1])
    drawn({"grouped": (assessment(labels, np.array([-9.0, 9.0]), splits=1), None)}, labels, timedelta(0))


def test_confusions_of_all_splits_are_added_up():
    labels = np.array([0, 0, 1, 1, 1])
    found = assessment(labels, np.array([-1.0, 1.0, 1.0, 1.0, -1.0]), splits=3)
    assert total_confusion(found).tolist() == [[3, 3], [3, 6]]
