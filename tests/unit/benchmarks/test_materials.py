from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.materials import _values, photographs, random_weights
from worker.images.decoding import decode


def test_efficientnet_lite_needs_no_file():
    with random_weights("efficientnet_lite0:head+gap+int8") as weights:
        assert weights is None


def test_random_weights_are_loaded_like_published_ones_and_are_gone_afterwards():
    from worker.backbones.backbone import load_backbone
    from worker.backbones.weight_file import WeightFile

    with random_weights("mobilenet:conv1_relu") as weights:
        with h5py.File(weights) as file:
            assert "conv_preds" in [str(name) for name in file.attrs["layer_names"]]
        with WeightFile(Path(weights)) as file:
            (kernel,) = file.read("conv1")
            assert kernel.shape == (3, 3, 3, 32)
        network = load_backbone("mobilenet:conv1_relu", weights, weights_folder=Path("none"))
        features = network.features_of([decode(photographs(1)[0], network.input_size)])
        assert np.isfinite(features).all()
        assert features.max() > 0
    with pytest.raises(FileNotFoundError):
        open(weights, "rb")  # noqa: PTH123, SIM115 - it is not there


@pytest.mark.parametrize("variable", ["moving_variance", "gamma"])
def test_a_normalisation_s_scale_is_not_near_zero(variable):
    values = _values(np.random.default_rng(0), variable, (1000,))
    assert values.dtype == np.float32
    assert values.min() >= 0.5


def test_a_kernel_keeps_the_size_of_its_input():
    values = _values(np.random.default_rng(0), "kernel", (3, 3, 64, 128))
    assert values.std() == pytest.approx((2 / (3 * 3 * 64)) ** 0.5, rel=0.05)


def test_the_photographs_are_the_same_every_time():
    assert photographs(2) is photographs(2)
    assert photographs(2)[0][:2] == b"\xff\xd8"
    assert photographs(2)[:1] == photographs(1), "more are the same and others behind them"
