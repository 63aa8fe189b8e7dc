import numpy as np
import pytest

from producer.simulation.insert import SHAPES, TRUE_LABELS, Condition, Insert, outline

RNG = np.random.default_rng(5)


def an_insert(shape: str, radius: float = 0.8) -> Insert:
    return Insert(shape, "TiN", "flat", 12.7, radius, 4.76, 0.0, 0.0, texture=1)


@pytest.mark.parametrize("shape", list(SHAPES))
def test_outline_touches_the_inscribed_circle_and_closes(shape: str) -> None:
    edge = outline(an_insert(shape), yaw=0.3)
    dx, dy = np.diff(edge.x), np.diff(edge.y)
    length = np.hypot(dx, dy)
    sides = length > 0.3  # the straight ones; R has none, and there each point lies on the circle
    from_centre = np.abs(edge.x[:-1] * dy - edge.y[:-1] * dx)[sides] / length[sides]
    distances = from_centre if sides.any() else np.hypot(edge.x, edge.y)
    assert distances == pytest.approx(12.7 / 2, rel=1e-6)
    assert sides.sum() == len(SHAPES[shape])
    assert (edge.x[0], edge.y[0]) == pytest.approx((edge.x[-1], edge.y[-1]))
    assert np.all(np.diff(edge.normal) >= -1e-9)
    assert edge.normal[-1] - edge.normal[0] == pytest.approx(2 * np.pi)


def test_length_along_the_edge_of_a_square_is_that_of_iso_1832() -> None:
    sharp = outline(an_insert("S", radius=0.0), yaw=0.0)
    assert sharp.arc[-1] - sharp.arc[0] == pytest.approx(4 * 12.7)


@pytest.mark.parametrize("shape", [s for s in SHAPES if s != "R"])
def test_without_yaw_the_active_corner_faces_the_camera(shape: str) -> None:
    edge = outline(an_insert(shape), yaw=0.0)
    tip = int(np.argmin(np.abs(edge.arc)))
    assert edge.y[tip] == pytest.approx(edge.y.min())
    assert edge.x[tip] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("condition", "label"),
    [
        (Condition(), "intact"),
        (Condition(flank_wear=0.29, chipping=0.49), "intact"),
        (Condition(flank_wear=0.3), "worn"),
        (Condition(chipping=0.5), "worn"),
        (Condition(flank_wear=1.0, break_size=1.0), "broken"),
    ],
)
def test_label_follows_the_tool_life_criteria(condition: Condition, label: str) -> None:
    assert condition.label == label


@pytest.mark.parametrize("label", TRUE_LABELS)
def test_random_conditions_are_clear_of_the_threshold(label: str) -> None:
    drawn = [Condition.random(RNG, label) for _ in range(200)]  # type: ignore[arg-type]
    assert {condition.label for condition in drawn} == {label}
    assert not [c for c in drawn if 0.2 < c.flank_wear < 0.36 or 0.35 < c.chipping < 0.55]
