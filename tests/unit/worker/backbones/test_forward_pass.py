from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from worker.backbones.forward_pass import ForwardPass
from worker.backbones.names import BackboneError, BackboneName

SIZE = (64, 48)


@pytest.fixture(scope="module")
def network() -> Any:
    """Two convolutions and a dense layer behind them, like a small VGG."""
    inputs = keras.Input((*SIZE, 3))
    output = keras.layers.Conv2D(8, 3, activation="relu", name="first")(inputs)
    output = keras.layers.Conv2D(6, 3, strides=4, activation="relu", name="second")(output)
    output = keras.layers.Flatten(name="flatten")(output)
    return keras.Model(inputs, keras.layers.Dense(10, activation="relu", name="dense")(output))


def passing(network: Any, layer: str, part: int, *, pooling: bool = False) -> ForwardPass:
    model = keras.Model(network.input, network.get_layer(layer).output)
    forward = ForwardPass(model, SIZE, BackboneName("test", layer, pooling))
    forward.part = part
    return forward


def images(count: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, *SIZE, 3)).astype(np.float32)


@pytest.mark.parametrize("layer", ["second", "flatten", "dense"])
@pytest.mark.parametrize("count", [1, 4, 7])
def test_parts_give_what_the_network_gives_at_once(network: Any, layer: str, count: int) -> None:
    forward = passing(network, layer, part=3)
    expected = keras.Model(network.input, network.get_layer(layer).output)(images(count)).numpy().reshape(count, -1)
    assert expected.std() > 0
    assert forward.feature_size == expected.shape[1]
    np.testing.assert_allclose(forward(images(count)), expected, rtol=1e-4, atol=1e-5)


def test_pooled_parts_are_averaged_over_the_image(network: Any) -> None:
    whole = passing(network, "second", part=100)(images(5)).reshape(5, -1, 6)
    pooled = passing(network, "second", part=2, pooling=True)(images(5))
    np.testing.assert_allclose(pooled, whole.mean(axis=1), rtol=1e-4, atol=1e-5)


def test_no_images_have_no_features(network: Any) -> None:
    assert passing(network, "dense", part=3)(images(0)).shape == (0, 10)


def test_a_part_is_bounded_by_its_activations() -> None:
    inputs = keras.Input((*SIZE, 3))
    outputs = keras.layers.Conv2D(1024, 3, padding="same", name="wide")(inputs)  # 13 MB an image, and as much again
    forward = ForwardPass(keras.Model(inputs, outputs), SIZE, BackboneName("test", "wide", True))
    assert forward.part == 2


def test_averaging_needs_an_image(network: Any) -> None:
    with pytest.raises(BackboneError, match=r"\+gap averages over an image"):
        passing(network, "dense", part=1, pooling=True)
