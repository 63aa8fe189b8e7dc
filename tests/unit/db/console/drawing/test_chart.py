"""Charts: every point lies within the axes, and ticks are round values."""

import re

from hypothesis import given
from hypothesis import strategies as st

from db.console.drawing import chart
from db.learning import evaluation_report
from db.learning.evaluation_report import CurvePoint, Estimate
from tests.evaluation_support import report_of

SHARES = st.floats(0, 1)


def sides():
    pair = evaluation_report.read(report_of("a", "b")).evaluations["grouped"]
    return [("candidate", pair.candidate), ("champion", pair.champion)]


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+?) ([\d.]+)", path)]


def within(drawn: chart.Chart) -> bool:
    points = [place for curve in drawn.curves for place in (*places(curve.line), *curve.dots)]
    return all(chart.LEFT <= x <= chart.RIGHT and chart.TOP <= y <= chart.BOTTOM for x, y in points)


def test_a_calibration_has_a_dot_for_each_bucket() -> None:
    drawn = chart.calibration(sides())
    assert [len(curve.dots) for curve in drawn.curves] == [len(side.reliability) for _, side in sides()]
    assert [curve.word for curve in drawn.curves] == ["candidate", "champion"]
    assert [round(tick.value, 6) for tick in drawn.x] == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert places(drawn.guide) == [(chart.LEFT, chart.BOTTOM), (chart.RIGHT, chart.TOP)]
    assert within(drawn)


def test_what_is_decided_is_drawn_from_all_to_the_surest() -> None:
    drawn = chart.coverage(sides())
    assert [len(places(curve.line)) for curve in drawn.curves] == [len(side.coverage) for _, side in sides()]
    assert within(drawn)
    assert chart.coverage([]).curves == []


@given(st.lists(st.tuples(st.integers(1, 10**6), SHARES, SHARES, SHARES), min_size=1, max_size=4))
def test_a_learning_curve_lies_within_its_axes(drawn_points) -> None:
    points = []
    for labels, *values in sorted(drawn_points):
        low, mean, high = sorted(values)
        points.append(CurvePoint(labels=labels, balanced_accuracy=Estimate(mean=mean, low=low, high=high)))
    drawn = chart.learning(points)
    assert within(drawn)
    assert [tick.value for tick in drawn.x] == [point.labels for point in points]
    ends = [float(y) for y in re.findall(r"V([\d.]+)", drawn.curves[0].intervals)]
    assert len(ends) == len(points)
    assert all(chart.TOP <= y <= chart.BOTTOM for y in ends)


def test_estimates_share_a_scale() -> None:
    left, right, none = chart.whiskers(
        [Estimate(mean=0.5, low=0.4, high=0.6), Estimate(mean=0.8, low=None, high=None), None], width=108
    )
    assert left == "M29 1v10M4 6H54"
    assert right == "M104 1v10"
    assert none == ""
