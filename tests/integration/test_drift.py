"""Days of stations on real databases and real files: what is usual is quiet, other light is told of, and accepted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from db.commands.main import main
from db.engine.database import Database
from db.line import captures, station_days, verdicts
from db.people import audit
from db.queries import day_sample, line_status
from db.queries.day_sample import SAMPLE
from producer.storage.folder import FolderStore
from tests.command_support import Done, invoke
from tests.integration.db.conftest import Line
from tests.learning_support import SmallNetwork, learning_in
from tests.support import photograph
from worker.images.decoding import decode
from worker.images.measurements import measure
from worker.learning.context import Learning
from worker.learning.day_values import DAYS_APART, FEWEST, FEWEST_DAYS
from worker.learning.drift import FARTHEST, DriftRun, measure_drift
from worker.learning.lease import held

NOW = datetime.combine(datetime.now(UTC).date(), time(12), UTC)
PHOTOGRAPHS = 12
REFERENCE = range(2 + DAYS_APART * FEWEST_DAYS, 2, -DAYS_APART)
"""So many days ago are the reference days, where two more follow."""
DARKER = 80
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

Photographed = Callable[..., list[UUID]]


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)


@pytest.fixture
def learning(tmp_path: Path, database: Database) -> Learning:
    return learning_in(tmp_path, database, SmallNetwork())


@pytest.fixture
def photographed(line: Line, tmp_path: Path) -> Photographed:
    """Records a day's photographs of a station, so many days ago, as a worker would have judged and measured them."""
    images = FolderStore(tmp_path / "images")
    line.model("m-1")
    measured = {}

    def record(days_ago: int, station: str = "st-1", brightness: int = 120, count: int = PHOTOGRAPHS) -> list[UUID]:
        day = datetime.combine(NOW.date() - timedelta(days=days_ago), time(6), UTC)
        ids = []
        with line.database.transaction() as session:
            for number in range(count):
                seed = int(np.random.default_rng(100 * days_ago + number).integers(40))
                key = f"{brightness}/{seed}.jpg"
                if key not in measured:
                    image = photograph(brightness + seed % 7, seed=seed)
                    images.put(key, image)
                    measured[key] = hashlib.sha256(image).hexdigest(), measure(decode(image, (64, 64)))
                digest, seen = measured[key]
                capture = line.capture(
                    number % 12 + 1, captured_at=day + timedelta(minutes=5 * number), station=station, image=key,
                    image_sha256=digest,
                )  # fmt: skip
                captures.record(session, capture, capture.captured_at)
                values = {"sharpness": seen.sharpness, "brightness": seen.brightness, "frame": seen.frame}
                decision = float(np.random.default_rng(number + days_ago).normal())
                verdict = line.verdict(capture.capture_id, model_id="m-1", decision=decision, **values)
                verdicts.record(session, verdict)
                ids.append(capture.capture_id)
        return ids

    return record


def run(line: Line, *arguments: object) -> Done:
    return invoke(main, "--database", line.database.url, "drift", *arguments)


def test_a_station_whose_light_changes_drifts_and_a_quiet_one_does_not(
    line: Line, learning: Learning, photographed: Photographed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    monkeypatch.setenv("COLUMNS", "250")
    assert "no day was measured yet" in run(line).stdout
    for days_ago in (*REFERENCE, 2, 1):
        photographed(days_ago, "quiet")
        changed = photographed(days_ago, "other light", brightness=DARKER if days_ago <= 2 else 120)
    photographed(0, "quiet")  # has not ended
    assert measure_drift(learning, NOW - timedelta(days=1)) == DriftRun(2 * (REFERENCE[0] - 1), 0, ())
    assert run(line).exit_code == 0, "one day is none"

    assert measure_drift(learning, NOW) == DriftRun(2, 0, ("other light",))
    assert measure_drift(learning, NOW) == DriftRun(0, 0, ("other light",))
    with line.database.reading() as session:
        assert line_status.current(session, NOW).drift_seconds == {"other light": 172_800}
        (one,) = station_days.drifting(session, NOW.date())
        quiet = station_days.recent(session, NOW.date() - timedelta(days=30), "quiet")
    assert (one.since, one.days) == (NOW.date() - timedelta(days=2), 2)
    assert {"features", "brightness"} <= set(one.aspects)
    assert len(one.farthest) == FARTHEST
    assert set(one.farthest) < set(changed)
    assert [day.drifted for day in quiet] == [()] * len(quiet)
    assert [set(day.aspects) for day in quiet[:2]] == [set(station_days.ASPECTS)] * 2
    reference = [day.day for day in quiet if day.is_reference]
    assert reference == [NOW.date() - timedelta(days=days_ago) for days_ago in (2, *REFERENCE[::-1])]

    told = run(line)
    assert told.exit_code == 1
    assert "station other light drifts" in told.stdout
    assert str(one.farthest[0]) in told.stdout
    answer = json.loads(run(line, "--json", "--station", "other light").stdout)
    assert [each["station"] for each in answer["drifting"]] == ["other light"]
    assert answer["days"][0]["aspects"]["brightness"]["median"] < 100
    assert run(line, "--station", "quiet").exit_code == 0

    assert run(line, "--station", "other light", "--accept").stdout.startswith("17 days of station other light")
    assert run(line).exit_code == 0
    assert run(line, "--station", "other light", "--accept").exit_code == 2
    assert run(line, "--accept").exit_code == 2
    with line.database.reading() as session:
        assert station_days.reference_days(session, "other light") == []
        assert [(row.by, row.subject) for row in audit.recent(session)] == [("terminal: ana", "other light")]


@on_sqlite
def test_what_is_gone_or_too_few_is_not_compared_and_no_error(
    line: Line, learning: Learning, photographed: Photographed, tmp_path: Path
) -> None:
    for days_ago in (*REFERENCE, 1):
        photographed(days_ago)
    photographed(2, count=FEWEST - 1)
    for image in (tmp_path / "images" / "120").iterdir():
        image.unlink()
    assert measure_drift(learning, NOW) == DriftRun(REFERENCE[0], 0, ())
    with line.database.reading() as session:
        newest, before, *_ = station_days.recent(session, NOW.date() - timedelta(days=30))
    assert set(newest.aspects) == {"score", "brightness", "sharpness"}
    assert (before.photographs, before.is_reference, before.aspects) == (FEWEST - 1, False, {})


@on_sqlite
def test_one_process_measures_and_pockets_take_turns(
    line: Line, learning: Learning, photographed: Photographed
) -> None:
    photographed(1, count=3 * SAMPLE)
    with held(line.database, "drift"):
        assert measure_drift(learning, NOW) is None
    with line.database.reading() as session:
        due = day_sample.unmeasured(session, NOW)
        chosen = day_sample.sample(session, *due[0])
        assert day_sample.sample(session, *due[0]) == chosen
        pockets = [captures.find(session, one.capture_id).pocket for one in chosen]
    assert due == [("st-1", NOW.date() - timedelta(days=1))]
    assert len(chosen) == SAMPLE
    assert np.bincount(pockets)[1:].tolist() == [SAMPLE // 12] * 12
