"""A declared edge on a real line: the strip along it is judged, learned from, and judged by what was learned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.engine import migrate
from db.engine.database import Database
from db.learning import reviews
from producer.contract.answers import VerdictAnswer
from producer.contract.event import new_id
from producer.contract.region import Edge
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.forked_commands import run_command
from tests.line_with_station import environment_of, line_with_station
from tests.support import RedisProcess, wait_until

EDGE = Edge(x1=30, y1=130, x2=226, y2=120, above=50, below=50)
LEARNED = 48


@pytest.fixture
def environment(tmp_path: Path, redis_server: RedisProcess) -> dict[str, str]:
    (tmp_path / "line").mkdir()
    migrate.upgrade(f"sqlite:///{tmp_path / 'line' / 'inserts.db'}")
    return environment_of(tmp_path / "line", redis_server)


@pytest.fixture
def station(tmp_path: Path, redis_server: RedisProcess, environment: dict[str, str]) -> Iterator[Station]:
    """A station of a line whose worker runs, without a model yet."""
    with line_with_station(tmp_path / "line", redis_server, tmp_path) as station:
        yield station


def judged(station: Station, photographs: list[bytes], region: Edge | None) -> list[VerdictAnswer]:
    ids = [
        station.submit(
            photograph, machine="m", head="h", pocket=pocket, operation="op", check_id=new_id(), check_size=1,
            region=region,
        ).capture_id
        for pocket, photograph in enumerate(photographs, 1)
    ]  # fmt: skip
    told = station.wait_for(ids, 60)
    answers = [told[capture].answer for capture in ids]
    assert all(isinstance(answer, VerdictAnswer) for answer in answers)
    return answers  # type: ignore[return-value]


def test_the_strip_along_a_declared_edge_is_learned_from_and_judged(
    station: Station, tmp_path: Path, environment: dict[str, str]
) -> None:
    inserts = list(labelled_images(LEARNED, seed=4, size=256, head=1))
    first = judged(station, [photograph for photograph, _ in inserts], EDGE)
    assert {(answer.outcome, answer.reason) for answer in first} == {("unsure", "there is no model yet")}
    database = Database(f"sqlite:///{tmp_path / 'line' / 'inserts.db'}")
    with database.transaction() as session:
        for answer, (_, label) in zip(first, inserts, strict=True):
            reviews.add(session, capture_id=answer.capture_id, label=label, by="ana", at=datetime.now(UTC))
    database.close()
    trained = run_command("insert-worker", "train", "--promote", environment=environment, timeout=200)
    assert trained.returncode == 0, trained.stderr

    again = [photograph for photograph, _ in inserts[:8]]
    wait_until(lambda: judged(station, again[:1], EDGE)[0].model is not None, 30, "the model in charge")
    strips, whole = judged(station, again, EDGE), judged(station, again, None)
    right = [
        answer.decision is not None and (answer.decision > 0) == (label != "intact")
        for answer, (_, label) in zip(strips, inserts, strict=False)
    ]
    assert sum(right) >= 7, "it has learned from these very strips"
    assert not any("cut to" in str(answer.reason) for answer in strips)
    # A whole photograph is something else, which the model says; its decision is of other features.
    assert all(answer.outcome == "unsure" and "not at all" in str(answer.reason) for answer in whole)
    assert all(one.decision != other.decision for one, other in zip(strips, whole, strict=True))
