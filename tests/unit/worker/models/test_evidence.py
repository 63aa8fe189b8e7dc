from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from db.evidence.evidence_map import MOST_CELLS
from worker.models.evidence import evidence_map
from worker.networks.names import Output

RNG = np.random.default_rng(0)
OUTPUTS: dict[str, list[tuple[Output, tuple[int, int, int]]]] = {
    "the default's three depths": [
        (Output("block7", "gap+max+min+mid"), (14, 14, 80)),
        (Output("block10", "gap+max+min+mid"), (14, 14, 112)),
        (Output("block14", "gap+max+min+mid"), (7, 7, 192)),
    ],
    "sides that fit into none of each other": [(Output("a", "max"), (33, 17, 5)), (Output("b", "gap"), (9, 8, 6))],
    "finer than a map may be": [(Output("a", "gap+max"), (112, 112, 8))],
    "row by row": [(Output("a", "rows"), (6, 9, 4)), (Output("b", "gap+max+min+rows"), (3, 3, 5))],
    "not pooled at all": [(Output("a"), (16, 16, 4)), (Output("b", "max"), (4, 4, 3))],
}


def middle(layer: Any) -> tuple[slice, ...]:
    """The middle of 14 cells are 8, of 7 they are 5."""
    return tuple(slice(side // 4, -(side // 4) or None) for side in layer.shape[:2])


def seen(outputs: list[tuple[Output, tuple[int, int, int]]]) -> tuple[list[Any], Any]:
    """Maps of one image, and its features as a network pools them."""
    maps = [RNG.normal(1, 1, shape).astype(np.float32) for _, shape in outputs]
    pool = {
        "gap": lambda layer: layer.mean(axis=(0, 1)),
        "max": lambda layer: layer.max(axis=(0, 1)),
        "min": lambda layer: layer.min(axis=(0, 1)),
        "middle max": lambda layer: layer[middle(layer)].max(axis=(0, 1)),
        "middle min": lambda layer: layer[middle(layer)].min(axis=(0, 1)),
        "rows": lambda layer: layer.mean(axis=1).ravel(),
        "": np.ravel,
    }
    features = [
        pool[pooling](layer)
        for (output, _), layer in zip(outputs, maps, strict=True)
        for pooling in output.poolings or ("",)
    ]
    return maps, np.concatenate(features)


@pytest.mark.parametrize("outputs", OUTPUTS.values(), ids=OUTPUTS)
def test_the_shares_and_one_constant_add_up_to_the_decision_value(outputs: Any) -> None:
    maps, features = seen(outputs)
    coef = RNG.normal(size=len(features)).astype(np.float32)
    usual, intercept = seen(outputs)[1], 0.3
    rounding = 1e-5 * float(np.abs(coef * features).sum())
    found = evidence_map(coef, usual, [output for output, _ in outputs], maps)
    constant = float(coef.astype(float) @ usual.astype(float)) + intercept
    decision = float(coef.astype(float) @ features.astype(float)) + intercept
    assert found.shares.sum() + constant == pytest.approx(decision, abs=rounding)
    assert max(found.shares.shape) <= MOST_CELLS


def test_a_share_lies_around_its_activation() -> None:
    """A mean is divided among all cells, a largest value is where it is; a coarse layer's lies evenly."""
    outputs = [Output("a", "gap"), Output("b", "max"), Output("c", "gap")]
    fine, other, coarse = (np.zeros(shape, np.float32) for shape in ((8, 8, 1), (8, 8, 1), (2, 2, 1)))
    fine[1, 1], other[5, 5], other[7, 7], coarse[1, 0] = 9 * 64, 18, 4, 4 * 64
    found = evidence_map(np.ones(3, np.float32), np.zeros(3, np.float32), outputs, [fine, other, coarse])
    expected = np.ones((8, 8))
    expected[:3, :3] += 1
    expected[4:7, 4:7] += 2
    np.testing.assert_allclose(found.shares, expected)
    assert found.strongest() in [(row, column) for row in (4, 5, 6) for column in (4, 5, 6)]


def test_what_would_lie_outside_lies_evenly() -> None:
    corner = np.zeros((6, 6, 1), np.float32)
    corner[0, 0] = 36 * 9
    shares = evidence_map(np.ones(1, np.float32), np.zeros(1, np.float32), [Output("a", "max")], [corner]).shares
    expected = np.full((6, 6), 5.0)
    expected[:2, :2] += 36
    np.testing.assert_allclose(shares, expected)


def test_the_middle_s_largest_value_is_where_the_middle_has_it() -> None:
    layer = np.zeros((8, 8, 1), np.float32)
    layer[0, 0], layer[3, 4] = 90, 9
    outputs = [Output("a", "mid")]
    shares = evidence_map(np.ones(2, np.float32), np.zeros(2, np.float32), outputs, [layer]).shares
    expected = np.zeros((8, 8))
    expected[2:5, 3:6] = 1
    np.testing.assert_allclose(shares, expected)


def test_a_largest_value_below_what_is_usual_is_missing_everywhere() -> None:
    layer = np.zeros((2, 2, 1), np.float32)
    layer[0, 1] = 3
    shares = evidence_map(np.float32([-1]), np.float32([7]), [Output("a", "max")], [layer]).shares
    np.testing.assert_allclose(shares, np.ones((2, 2)))


def test_a_background_that_was_left_out_has_no_part_in_a_decision() -> None:
    foreground = np.zeros((56, 56), bool)
    foreground[:, 28:] = True
    outputs = [Output("a", "gap+max+min+mid+rows", foreground=True)]
    layer = RNG.normal(size=(14, 14, 8)).astype(np.float32)
    coef, usual = RNG.normal(size=(2, 8 * 5 + 14 * 8)).astype(np.float32)
    shares = evidence_map(coef, usual, outputs, [layer], foreground).shares
    assert not shares[:, :7].any()
    assert shares[:, 7:].all()


def test_what_is_as_usual_speaks_for_nothing() -> None:
    maps, features = seen(OUTPUTS["the default's three depths"])
    outputs = [output for output, _ in OUTPUTS["the default's three depths"]]
    coef = RNG.normal(size=len(features)).astype(np.float32)
    found = evidence_map(coef, features, outputs, maps)
    assert abs(found.shares.sum()) < 1e-3
