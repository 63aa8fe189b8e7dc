from __future__ import annotations

import math
from dataclasses import replace

import pytest

from producer.contract.answers import STREAM_LENGTH
from worker.planning.limits import LARGEST_REDIS, ends_first, warnings
from worker.planning.measurements import DatabaseFigures, Figures, RedisFigures, WorkerFigures
from worker.planning.plan import FULLEST, Load, fewest_workers, plan, waits

FIGURES = Figures(
    worker=WorkerFigures(cores=2, per_second=100.0, single_seconds=0.03, bytes=6e8),
    redis=RedisFigures(per_second=4000.0, network_bytes=9000.0, event_bytes=2000.0, answer_bytes=500.0, aof_bytes=6e3),
    sqlite=DatabaseFigures(400.0, 1500.0),
    postgresql=DatabaseFigures(900.0, 1800.0),
    station_per_second=300.0,
    image_bytes=1e5,
)
SMALL = Load(stations=10, inserts=30, every=60.0)


def test_an_idle_line_answers_in_the_time_that_the_work_itself_takes() -> None:
    found = waits(replace(SMALL, every=1e6), FIGURES.worker, FIGURES.station_per_second, workers=1)
    assert found.queued == 0.0
    assert found.answered == pytest.approx(30 / 100 + 0.02, rel=1e-3)
    # With more workers than inserts, the head is there when it is handed in and its last capture is judged.
    many = waits(replace(SMALL, every=1e6), FIGURES.worker, FIGURES.station_per_second, workers=60)
    assert many.answered == pytest.approx(30 / 300 + 0.02, rel=1e-3)


def test_the_fewest_workers_are_busy_at_most_four_fifths_of_the_time() -> None:
    for stations in (1, 16, 17, 100, 999):
        load = replace(SMALL, stations=stations)
        number = fewest_workers(load, FIGURES)
        assert waits(load, FIGURES.worker, 300.0, number).utilisation <= FULLEST
        assert number == 1 or waits(load, FIGURES.worker, 300.0, number - 1).utilisation > FULLEST


def test_the_fewest_workers_that_answer_in_time() -> None:
    load = replace(SMALL, stations=300)

    def answered(workers: int) -> float:
        return waits(load, FIGURES.worker, 300.0, workers).answered or math.inf

    number = fewest_workers(load, FIGURES, within=0.5)
    assert number > fewest_workers(load, FIGURES)
    assert answered(number) <= 0.5 < answered(number - 1)
    with pytest.raises(ValueError, match=r"no number of workers answers .* within 0\.05 s"):
        fewest_workers(load, FIGURES, within=0.05)


def test_what_is_kept_follows_from_the_rate() -> None:
    needs = plan(SMALL, FIGURES, outage=5.0, keep_verdicts=100, keep_images=10)
    assert needs.load.captures_per_second == 5
    assert needs.database == "sqlite"
    assert needs.stores.database_per_day == 86_400 * 5 * 1500
    assert needs.stores.database == 100 * needs.stores.database_per_day
    assert needs.stores.images == 10 * 86_400 * 5 * 1e5
    assert needs.stores.redis_memory == 10 * STREAM_LENGTH * 500 + 5 * 5 * 2000  # the answers, and no copies yet
    assert needs.image_network == 5e5
    assert (needs.cores, needs.memory) == (2 * needs.workers, 6e8 * needs.workers)
    assert warnings(needs, FIGURES, outbox_limit=100_000) == []


def test_an_outage_fills_redis_with_each_capture_once_and_with_few_copies() -> None:
    short, long = (plan(SMALL, FIGURES, outage=seconds) for seconds in (60.0, 3600.0))
    kept = 10 * STREAM_LENGTH * 500
    once, copies = 3600 * 5 * 2000, 10 * 2 * 2000  # two of each station: after 5 and 25 s, then comes the next head
    assert long.stores.redis_memory - kept == once + copies
    assert short.stores.redis_memory - kept == once / 60 + copies


def test_several_workers_share_a_postgresql() -> None:
    needs = plan(replace(SMALL, stations=500), FIGURES)
    assert needs.workers > 1
    assert needs.database == "postgresql"
    assert needs.database_cores == pytest.approx(250 / 900 / FULLEST)


def test_too_few_workers_are_warned_of() -> None:
    busy = plan(replace(SMALL, stations=180), FIGURES, workers=1, outage=1, keep_verdicts=1, keep_images=1)
    assert busy.waits.utilisation == pytest.approx(0.9)
    (said,) = warnings(busy, FIGURES, 100_000)
    assert "busy 90% of the time" in said
    assert "Take 2 or more" in said
    over = plan(replace(SMALL, stations=400), FIGURES, workers=1, outage=1, keep_verdicts=1, keep_images=1)
    assert (over.waits.queued, over.waits.answered) == (None, None)
    (said,) = warnings(over, FIGURES, 100_000)
    assert "grows for ever" in said
    assert "Take 3 or more" in said


def test_what_a_single_part_cannot_carry_is_said_with_what_to_do() -> None:
    needs = plan(replace(SMALL, stations=10_000), FIGURES)
    said = warnings(needs, FIGURES, 100)
    for expected in (
        "one Redis carries 4,000 captures/s, and 5,000 come in: part the stations into 2 groups",
        "Redis needs",
        "the database grows to",
        "s3://",
        "Gbit/s in and as much out",
        "raise INSERTS_OUTBOX_LIMIT",
    ):
        assert any(expected in each for each in said), expected
    slow = replace(FIGURES, postgresql=DatabaseFigures(100.0, 1800.0))
    said = warnings(plan(replace(SMALL, stations=10_000), slow), slow, 10**9)
    assert any("a PostgreSQL each" in each for each in said)


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"redis": replace(FIGURES.redis, per_second=10.0)}, "Redis (one thread)"),
        ({"redis": replace(FIGURES.redis, answer_bytes=5e5)}, "Redis (memory)"),
        ({"sqlite": DatabaseFigures(8.0, 1.0)}, "SQLite (writes)"),
        ({"image_bytes": 1e8}, "image store (network)"),
    ],
)
def test_the_part_that_ends_first_is_named_with_the_stations_that_it_carries(
    changed: dict[str, object], part: str
) -> None:
    figures = replace(FIGURES, **changed)  # type: ignore[arg-type]
    needs = plan(SMALL, figures, outage=60)
    name, stations = ends_first(needs)
    assert name == part
    at = {
        "Redis (one thread)": 0.8 * 10 / 0.5,
        "Redis (memory)": LARGEST_REDIS / (STREAM_LENGTH * 5e5),
        "SQLite (writes)": 0.8 * 8 / 0.5,
        "image store (network)": 100e6 / (0.5 * 1e8),
    }[part]
    assert stations == pytest.approx(at, rel=0.01, abs=1)
