"""A real worker: a shadow judges alongside, and a promotion under load takes over whole.

The models' planes are zero, so that what each says about any image is known beforehand to the last digit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from db.learning import model_registry
from db.line import shadow_verdicts, verdicts
from producer.contract.answers import CheckAnswer, VerdictAnswer
from producer.contract.event import Region, new_id
from producer.contract.vocabulary import DAMAGE_KINDS
from producer.delivery.outbox import Outbox
from producer.simulation.head import labelled_images
from producer.station.station import Station
from tests.database_support import shadows_of
from tests.integration.test_worker_process import Line
from tests.network_support import BACKBONE
from tests.support import RedisProcess, wait_until
from worker.models.calibration import Calibration
from worker.models.line_model import LINE_CLASSES, LineModel
from worker.models.linear_svm import LinearModel
from worker.models.store import save
from worker.models.unsure_band import Band
from worker.networks.store import NetworkStore
from worker.settings import WorkerSettings

POCKETS = 8


@pytest.fixture
def line(networks: Path, tmp_path: Path, redis_server: RedisProcess, sqlite_url: str) -> Iterator[Line]:
    line = Line(tmp_path, redis_server, sqlite_url)
    yield line
    line.end()


def constant(size: int, value: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.full((1, size), value, np.float32)


def register(line: Line, decision: float, calibration: Calibration, kind: float | None) -> LineModel:
    """A model that gives every image this decision value, and every damaged one the same finer label."""
    backbone = NetworkStore(WorkerSettings().networks_root()).open(BACKBONE)
    planes = LinearModel(LINE_CLASSES, constant(backbone.feature_size, 0.0), np.array([decision]))
    finer = LinearModel(DAMAGE_KINDS, constant(backbone.feature_size, 0.0), np.array([kind])) if kind else None
    band = Band(0.1, 0.2, 0.9)
    folder = f"says{decision}"
    manifest = save(
        line.folder / "models" / folder,
        planes,
        backbone=backbone.name,
        fingerprint=backbone.fingerprint,
        trained_on=2,
        settings={},
        metrics={},
        created_at=datetime.now(UTC),
        calibration=calibration,
        band=band,
        kind=finer,
        network=backbone.digest,
    )
    row = model_registry.Model(
        manifest.model_id,
        manifest.backbone,
        manifest.fingerprint,
        manifest.created_at,
        manifest.classes,
        2,
        {},
        folder,
        manifest.classifier_sha256,
        network_digest=manifest.network,
    )
    with line.database.transaction() as session:
        model_registry.register(session, row)
    return LineModel(manifest.model_id, planes, calibration, band, finer)


def promote(line: Line, model: LineModel) -> None:
    with line.database.transaction() as session:
        model_registry.promote(session, model.model_id, by="test", reason="test", at=datetime.now(UTC))


def shadows(line: Line) -> dict[UUID, shadow_verdicts.ShadowVerdict]:
    with line.database.reading() as session:
        judged = [row.capture_id for row in verdicts.export(session)]
        return {each.capture_id: each for capture in judged for each in shadows_of(session, capture)}


def test_a_shadow_judges_alongside_and_takes_over_whole(line: Line) -> None:
    calm = register(line, -3.0, Calibration(1.0, 0.0), None)
    strict = register(line, 2.0, Calibration(2.0, 0.0), -1.0)
    promote(line, calm)
    with line.database.transaction() as session:
        model_registry.start_shadow(session, strict.model_id, by="test", reason="test", at=datetime.now(UTC))
    line.start_and_wait()
    (image, _), *_ = labelled_images(1, seed=3, size=128)
    told: dict[UUID, VerdictAnswer] = {}
    outbox = Outbox(line.folder / "outbox.db")
    with Station("station-1", line.images, outbox, line.redis_server.url) as station:

        def check() -> CheckAnswer:
            number = new_id()
            captures = [
                station.submit(
                    image,
                    machine="m",
                    head="h",
                    pocket=pocket,
                    operation="o",
                    check_id=number,
                    check_size=POCKETS,
                    region=Region(left=pocket, top=0, width=100, height=100),
                ).capture_id
                for pocket in range(1, POCKETS + 1)
            ]
            answers = station.wait_for([*captures, number], 60)
            for capture in captures:
                answer = answers[capture].answer
                assert isinstance(answer, VerdictAnswer)
                told[capture] = answer
            last = answers[number].answer
            assert isinstance(last, CheckAnswer)
            return last

        answer = check()
        assert (answer.state, answer.replace, answer.review) == ("go", [], [])
        assert {each.model for each in told.values()} == {calm.model_id}
        wait_until(lambda: len(shadows(line)) == POCKETS, what="what the shadow says")
        with line.database.reading() as session:
            report = shadow_verdicts.compare(session, strict.model_id)
        assert [(pair.line, pair.shadow, pair.count) for pair in report.outcomes] == [("intact", "damaged", POCKETS)]

        promote(line, strict)
        promoted = time.monotonic()
        while (answer := check()).state != "replace" or len(answer.replace) < POCKETS:
            assert time.monotonic() - promoted < 20, "the new champion was not taken"
    outbox.close()

    vector = np.zeros(calm.classifier.feature_size, np.float32)
    says = {model.model_id: model.judge(vector) for model in (calm, strict)}
    assert [(each.outcome, each.label) for each in says.values()] == [("intact", None), ("damaged", "worn")]
    beside = shadows(line)
    for capture, answer_told in told.items():
        with line.database.reading() as session:
            verdict = verdicts.current(session, capture)
        assert verdict is not None
        expected = says[verdict.model_id or ""]
        assert (verdict.outcome, verdict.label, verdict.decision, verdict.probability) == (
            expected.outcome,
            expected.label,
            expected.decision,
            expected.probability,
        )
        assert (answer_told.model, answer_told.outcome) == (verdict.model_id, verdict.outcome)
        if capture in beside:
            of_shadow = beside[capture]
            assert (verdict.model_id, of_shadow.model_id) == (calm.model_id, strict.model_id)
            assert (of_shadow.decision, of_shadow.probability) == (2.0, says[strict.model_id].probability)
    with line.database.reading() as session:
        assert verdicts.count(session) == len(told)
