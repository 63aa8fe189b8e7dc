import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from producer.simulation.insert import COATINGS, SHAPES, TRUE_LABELS, Condition, Insert, TrueLabel
from producer.simulation.rendering import render, render_with_damage
from producer.simulation.view import View


def anything(seed: int, label: TrueLabel) -> tuple[Insert, Condition, View]:
    rng = np.random.default_rng(seed)
    return Insert.random(rng), Condition.random(rng, label), View.random(rng)


@pytest.mark.parametrize("size", [64, 224, 512])
@pytest.mark.parametrize("label", TRUE_LABELS)
def test_the_same_arguments_give_the_same_photograph(size: int, label: TrueLabel) -> None:
    first, second = render(*anything(3, label), size), render(*anything(3, label), size)
    assert first.shape == (size, size, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first, render(*anything(4, label), size))


def test_every_shape_and_coating_can_be_drawn() -> None:
    rng = np.random.default_rng(1)
    seen = [Insert.random(rng) for _ in range(300)]
    assert {insert.shape for insert in seen} == set(SHAPES)
    assert {insert.coating for insert in seen} == set(COATINGS)
    for insert in seen[:40]:
        picture = render(insert, Condition(), View.random(rng), 64)
        assert picture.std() > 1  # something is on it


def test_damage_shows_where_it_is_said_to_be_and_nowhere_else() -> None:
    """The same photograph with and without damage differs inside the mask far more than outside."""
    shown = 0
    for seed in range(20):
        insert, condition, view = anything(seed, "broken" if seed % 2 else "worn")
        damaged, mask = render_with_damage(insert, condition, view, 128)
        intact, nothing = render_with_damage(insert, Condition(pattern=condition.pattern), view, 128)
        assert not nothing.any()
        inside = mask > 0
        if inside.sum() < 30:
            continue
        shown += 1
        difference = np.abs(damaged.astype(int) - intact.astype(int)).mean(axis=-1)
        assert difference[inside].mean() > 1.5 * difference[~inside].mean()
    assert shown >= 16


def test_a_wear_land_is_as_wide_as_its_condition_says() -> None:
    """Seen almost from the side, a land of 1 mm in a picture 8 mm wide covers about an eighth of its height."""
    insert = Insert("S", "TiN", "flat", 12.7, 0.8, 4.76, 0.0, 0.0, texture=1)
    heights = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        view = replace(View.random(rng), field=8.0, yaw=40.0, tilt=10.0, shift=(-0.2, -0.1), roll=0.0)
        _, mask = render_with_damage(insert, Condition(flank_wear=1.0, pattern=seed), view, 256)
        columns = (mask > 0).sum(axis=0)
        heights.append(columns[columns > 0].mean() / 256)
    assert np.mean(heights) == pytest.approx(1 / 8, rel=0.3)


def cues(picture: NDArray[np.uint8]) -> list[float]:
    grey = picture.astype(float).mean(axis=-1)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return [
        float(grey.mean()),
        float(grey.std()),
        float(grey.min()),
        float(grey.max()),
        float((grey > 220).mean()),
        float((grey < 30).mean()),
        float(len(file.getvalue())),
        float(np.square(np.diff(grey)).mean() + np.square(np.diff(grey, axis=0)).mean()),
        float(picture.astype(float).std(axis=-1).mean()),
    ]


def best_threshold(values: NDArray[np.float64], damaged: NDArray[np.bool_]) -> float:
    """Balanced accuracy of the best of all thresholds, in either direction, on the data it was chosen on."""
    best = 0.5
    for threshold in values:
        above = values >= threshold
        balanced = (above[damaged].mean() + (~above[~damaged]).mean()) / 2
        best = max(best, balanced, 1 - balanced)
    return best


@pytest.mark.slow
def test_no_trivial_cue_tells_intact_from_damaged() -> None:
    labels = [TRUE_LABELS[(0, 1, 0, 2)[n % 4]] for n in range(240)]
    table = np.array([cues(render(*anything(n, label), 160)) for n, label in enumerate(labels)])
    damaged = np.array([label != "intact" for label in labels])
    assert max(best_threshold(column, damaged) for column in table.T) <= 0.70
