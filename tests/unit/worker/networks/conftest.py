from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from worker.networks.building import Built, build
from worker.networks.names import parse_network_name

SMALL = "mobilenet-0.25:conv_pw_1_relu,conv_dw_2_relu"


@pytest.fixture(scope="session")
def small_weights(
    tmp_path_factory: pytest.TempPathFactory, write_weights: Callable[..., Path], randomise: Callable[..., Any]
) -> Path:
    network = keras.applications.MobileNet(alpha=0.25, include_top=False, input_shape=(224, 224, 3), weights=None)
    return write_weights(tmp_path_factory.mktemp("networks") / "mobilenet.h5", randomise(network))


@pytest.fixture(scope="session")
def small(small_weights: Path) -> Built:
    """The file of two early layers of a narrow MobileNet."""
    return build(parse_network_name(SMALL), str(small_weights), weights_folder=small_weights.parent)


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
