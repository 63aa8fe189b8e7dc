"""Reports as evaluations write them, and what more labels are worth by their learning curve."""

import pytest

from db.learning import evaluation_report
from db.learning.evaluation_report import CurvePoint, Estimate
from tests.evaluation_support import COUNT, report_of


def curve(*points: tuple[int, float], half: float | None = 0.01) -> list[CurvePoint]:
    return [
        CurvePoint(
            labels=labels,
            balanced_accuracy=Estimate(
                mean=mean, low=None if half is None else mean - half, high=None if half is None else mean + half
            ),
        )
        for labels, mean in points
    ]


def test_a_report_of_the_worker_is_read_whole() -> None:
    report = report_of("new", "old")
    read = evaluation_report.read(report)
    assert (read.images, read.champion, read.kind) == (COUNT, "old", "grouped")
    for kind, pair in read.evaluations.items():
        for who, side in (("candidate", pair.candidate), ("champion", pair.champion)):
            written = report["evaluations"][kind][who]
            assert side is not None
            assert side.confusion == written["confusion"]
            assert len(side.coverage) == len(written["trades"])
            assert [str(each.capture_id) for each in side.wrong] == [each["capture_id"] for each in written["wrong"]]
            for name, estimate in side.scores.items():
                assert estimate is None or estimate.mean == written["scores"][name]["mean"]
    assert [point.labels for point in read.learning_curve] == [each["labels"] for each in report["learning_curve"]]


def test_plain_splits_count_where_there_are_no_others() -> None:
    report = report_of("new")
    del report["evaluations"]["grouped"]
    report["problems"] = {"grouped": "there are 3 inserts"}
    read = evaluation_report.read(report)
    assert (read.kind, read.evaluations["plain"].champion) == ("plain", None)
    report["evaluations"] = {}
    assert evaluation_report.read(report).kind is None


@pytest.mark.parametrize("report", [{}, {"schema_version": 2}, {"schema_version": 1, "images": "many"}])
def test_a_report_of_another_version_is_refused(report) -> None:
    with pytest.raises(ValueError, match="validation error"):
        evaluation_report.read(report)


def test_an_error_that_halves_with_twice_the_labels_goes_on_so() -> None:
    worth = evaluation_report.worth_of(curve((50, 0.8), (100, 0.9)), more=100)
    assert worth is not None
    assert worth.gain == pytest.approx(0.05)
    assert not worth.unseen


def test_a_curve_that_does_not_rise_promises_nothing() -> None:
    for points in (((50, 0.9), (100, 0.9)), ((50, 0.95), (100, 0.9)), ((50, 0.9), (100, 1.0))):
        worth = evaluation_report.worth_of(curve(*points))
        assert worth is not None
        assert worth.gain == 0


def test_what_an_evaluation_cannot_see_is_called_so() -> None:
    points = ((500, 0.9), (1000, 0.91))
    small, unknown = (evaluation_report.worth_of(curve(*points, half=half)) for half in (0.05, None))
    assert small is not None
    assert unknown is not None
    assert 0 < small.gain < 0.05
    assert (small.unseen, unknown.unseen) == (True, False)


def test_one_point_says_nothing() -> None:
    assert evaluation_report.worth_of(curve((100, 0.9))) is None
    assert evaluation_report.worth_of([]) is None
