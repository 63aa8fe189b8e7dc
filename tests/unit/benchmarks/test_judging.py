from pathlib import Path

import pytest

from benchmarks import judging
from producer.contract.reasons.template import Reason
from producer.runtime.arrays import Float32Array
from producer.simulation.head import labelled_images
from tests.network_support import BACKBONE
from worker.line.stations import Stations
from worker.models.novelty import Novelty


def test_all_that_judging_consists_of_is_measured(
    networks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the judge's own check that each photograph was judged and some were explained."""
    images = [image for image, _ in labelled_images(judging.FEWEST, seed=3, size=256, head=1)]
    asked: list[object] = []

    def of_station(self: Stations, *arguments: object) -> str | None:
        asked.append(self._station("station-1").scene)
        return fault(self, *arguments)  # type: ignore[arg-type]

    def of_model(self: Novelty, features: Float32Array) -> list[Reason | None]:
        asked.extend([self.kept] * len(features))
        return reasons(self, features)

    fault, reasons = Stations.fault, Novelty.reasons
    monkeypatch.setattr(Stations, "fault", of_station)
    monkeypatch.setattr(Novelty, "reasons", of_model)
    (cost,) = judging.milliseconds(1, images, BACKBONE, networks)
    assert 1 < cost < 1000
    assert "decoding and network alone" in capsys.readouterr().out
    assert None not in asked, "the station's scene is known"
    assert asked.count(judging.MOST_KEPT) >= judging.ROUNDS * len(images)
