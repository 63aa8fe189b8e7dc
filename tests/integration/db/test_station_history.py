"""What is usual at a station, by its captures; that a worker reads it; and what a run of unusable ones is told as."""

from dataclasses import replace

import numpy as np
import pytest
import uuid6

from db.line import station_history, verdicts
from db.queries import review_queue, unusable_runs
from db.queries.line_status import current
from producer.contract.names import IMPORTED
from producer.contract.reasons import photographs
from tests.support import photograph
from tests.unit.worker.line.test_judging import MeanBrightness, Models, model
from worker.images.decoding import decode
from worker.images.measurements import Measurements, measure
from worker.line import stations
from worker.line.blurred_or_dark import FEWEST
from worker.line.judging import ImageToJudge, Judge
from worker.line.stations import Origin, Stations
from worker.models.registry import ActiveModel
from worker.monitoring.metrics import WorkerMetrics

GOOD = Measurements(sharpness=100.0, brightness=120.0, contrast=100.0, burnt=0.0, frame=1, sketch=bytes(256))


BLURRED = photographs.BLURRED(share=0.2)


def photographed(line, number, outcome="intact", seen=GOOD, reason=None, **changes):
    """A capture with its verdict, and what was measured of it."""
    capture = line.see(1 + number % 2, number, check_id=uuid6.uuid7(), **changes)
    measured = {"sharpness": seen.sharpness, "brightness": seen.brightness, "frame": number, "sketch": seen.sketch}
    reason = BLURRED if outcome == "unusable" and reason is None else reason
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, outcome, reason=reason, decision=None, **measured))
    return capture


def history(line, station="st-1", limit=500):
    with line.database.reading() as session:
        return [each.frame for each in station_history.good(session, station, limit)]


def test_the_history_is_of_the_station_s_newest_good_photographs(line) -> None:
    photographed(line, 0)
    photographed(line, 1, station="st-2")
    photographed(line, 2, "unusable")
    photographed(line, 3, "damaged")
    line.say(photographed(line, 4), "unusable")
    line.say(photographed(line, 5), "worn")
    line.see(1, 6, "intact", check_id=uuid6.uuid7())  # of before photographs were measured
    photographed(line, 7, "unsure")
    soft = photographs.SOFT(share=0.5)
    photographed(line, 8, "unsure", reason=soft)
    line.say(photographed(line, 9, "unsure", reason=soft), "unusable")
    assert history(line) == [7, 5, 3, 0]
    assert history(line, limit=3) == [7, 5]
    assert history(line, "st-3") == []
    line.say(photographed(line, 10, "unsure", reason=soft), "intact")
    assert history(line) == [10, 7, 5, 3, 0]


def test_what_people_called_unusable_at_a_station_is_what_an_empty_pocket_is_like(line) -> None:
    for number in range(3):
        capture = photographed(line, number, seen=replace(GOOD, sketch=bytes([number]) * 256))
        line.say(capture, "unusable" if number < 2 else "worn")
    line.say(photographed(line, 4, station="st-2"), "unusable")
    line.say(line.see(1, 5, "unusable", check_id=uuid6.uuid7()), "unusable")  # of before sketches were kept
    with line.database.reading() as session:
        assert station_history.unusable(session, "st-1", 20) == [bytes([1]) * 256, bytes(256)]
        assert station_history.unusable(session, "st-1", 1) == [bytes([1]) * 256]


def test_a_worker_refuses_an_empty_pocket_and_what_a_moved_camera_sees(line) -> None:
    """Squares with a corner in them, of a fixed camera; the pocket's hole, of three reviewed photographs."""
    rng = np.random.default_rng(0)

    def seen(corner: int | None) -> Measurements:
        squares = rng.integers(0, 40, (16, 16), np.uint8)
        if corner is None:
            squares[9:13, 9:13] = 250
        else:
            squares[corner, corner:] = squares[corner:, corner] = 250
        return replace(GOOD, frame=int(rng.integers(2**60)), sketch=squares.tobytes())

    for number in range(FEWEST):
        photographed(line, number, seen=seen(5))
    for number in range(3):
        line.say(photographed(line, FEWEST + number, seen=seen(None)), "unusable")
    known, origin = Stations(line.database), Origin("st-1", ("mill-1", "head-1", 1))
    assert "no insert in the pocket" in str(known.fault(origin, seen(None)))
    assert [known.fault(origin, seen(5)) for _ in range(5)] == [None] * 5
    another_head = Origin("st-1", ("mill-1", "head-2", 1))
    assert [known.fault(another_head, seen(8)) for _ in range(8)] == [None] * 8, "it looks otherwise"
    told = [known.fault(origin, seen(8)) for _ in range(8)]
    assert (told[0], "the camera has moved" in str(told[-1])) == (None, True)
    assert [known.fault(origin, seen(5)) for _ in range(4)][1:] == [None] * 3
    another = Stations(line.database)
    assert another.fault(origin, seen(8)) is None
    for number in range(4):  # which other processes judged
        outcome, reason = ("unsure", None) if number < 2 else ("unusable", told[-1])
        photographed(line, 40 + number, outcome, seen(8), reason=reason)
    photographed(line, 50, "unusable")
    assert "the camera has moved" in str(another.fault(origin, seen(8)))
    assert another.fault(origin, seen(5)) is None


def test_three_overruled_faults_in_a_row_let_the_history_begin_anew_and_one_does_not(line) -> None:
    for number in range(3):
        photographed(line, number)
    refused = [photographed(line, 3 + number, "unusable") for number in range(4)]
    photographed(line, 7)
    for capture, label in zip(refused, ("worn", "worn", "unusable", "intact"), strict=True):
        line.say(capture, label)
    assert history(line) == [7, 2, 1, 0], "wear that can be seen in some blurred photographs makes blur not usual"
    line.say(refused[2], "worn")
    assert history(line) == [7]
    photographed(line, 8)
    line.say(photographed(line, 9, "unusable"), "unusable")
    assert history(line) == [8, 7], "what is refused since changes nothing of that"


def test_a_worker_refuses_what_is_unlike_the_station_s_others(line, monkeypatch) -> None:
    known = Stations(line.database)
    blurred = replace(GOOD, sharpness=20.0, frame=-1)
    for number in range(FEWEST - 1):
        photographed(line, number)
    origin = Origin("st-1", ("mill-1", "head-1", 1))
    assert known.fault(origin, blurred) is None, "too few to say"
    photographed(line, FEWEST)
    assert known.fault(origin, blurred) is None, "what is usual is read once a minute"
    monkeypatch.setattr(stations, "FRESH_FOR", 0.0)
    assert "blurred: it has 20% of the sharpness" in str(known.fault(origin, blurred))
    soft = replace(GOOD, sharpness=65.0)
    assert known.fault(origin, soft) is None
    assert "less sharp than this station's photographs" in str(known.doubt(origin, soft))
    assert known.doubt(origin, GOOD) is None
    assert known.fault(origin, GOOD) is None
    assert known.fault(Origin("st-2", origin.place), blurred) is None
    monkeypatch.setattr(stations, "FRESH_FOR", 60.0)
    stuck = replace(GOOD, frame=99)
    assert known.fault(origin, stuck) is None
    for pocket in (2, 3, 4):
        assert "pocket 1 of head-1" in str(known.fault(Origin("st-1", ("mill-1", "head-1", pocket)), stuck))
    assert known.fault(origin, stuck) is None


def test_what_is_less_sharp_than_its_station_s_others_is_judged_and_unsure(line) -> None:
    image = photograph(128)
    seen = measure(decode(image, (8, 8)))
    sharper = replace(seen, sharpness=1.6 * seen.sharpness)
    for number in range(FEWEST):
        photographed(line, number, seen=seen)
        photographed(line, number, seen=sharper, station="st-2")
    judge = Judge(Models(ActiveModel(model(200), MeanBrightness()), None), WorkerMetrics(), Stations(line.database))
    place = ("mill-1", "head-1", 1)
    usual, soft = judge.judge_all([ImageToJudge(image, None, Origin(name, place)) for name in ("st-1", "st-2")])
    assert (usual.outcome, usual.reason) == ("intact", None)
    assert (soft.outcome, soft.decision) == ("unsure", usual.decision)
    assert "it has 62% of the sharpness that is usual" in str(soft.reason)


@pytest.mark.parametrize("number", [unusable_runs.FEWEST - 1, 30])
def test_a_run_of_unusable_photographs_is_one_thing_and_not_thirty_reviews(line, number) -> None:
    photographed(line, 0)
    photographed(line, 0, station="st-2")
    seen = [photographed(line, 1 + each, "unusable") for each in range(number)]
    line.see(1, 50)  # waits
    line.see(1, 51, "unusable", check_id=uuid6.uuid7(), machine=IMPORTED, station="folder")
    with line.database.reading() as session:
        runs = unusable_runs.runs(session)
        status = current(session, seen[-1].captured_at)
        queue = review_queue.queue(session)
    told = [(run.station, run.captures, run.since, run.reason) for run in runs]
    if number < unusable_runs.FEWEST:
        assert (told, status.unusable_runs) == ([], {})
    else:
        assert told == [("st-1", number, seen[0].captured_at, BLURRED)]
        assert status.unusable_runs == {"st-1": number}
    assert len(queue) <= 1
    photographed(line, 60)
    with line.database.reading() as session:
        assert unusable_runs.runs(session) == []
