from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

from worker.backbones import efficientnet_lite
from worker.backbones.backbone import load_backbone
from worker.backbones.families import CutNetwork
from worker.backbones.keras_families import published_network
from worker.backbones.names import BackboneError
from worker.networks import building
from worker.networks.building import Built, build
from worker.networks.loaded_network import Network
from worker.networks.names import parse_network_name
from worker.networks.representative import Representative

LITE = "efficientnet_lite0:block4_out+gap,head+gap,classes"


def network(built: Built, name: str) -> Network:
    return Network(built.data, built.manifest, parse_network_name(name).outputs)


# Two families that turn the colours and subtract, one that scales; the fourth, EfficientNet-Lite, is below.
@pytest.mark.parametrize(
    ("family", "layer"),
    [
        ("VGG16", "block3_pool+gap"),
        ("MobileNet", "conv_pw_6_relu+gap"),
        ("ResNet50", "conv2_block2_out+gap"),
    ],
)
def test_float32_is_keras_within_rounding(
    family: str, layer: str, tmp_path: Path, pixels: np.ndarray, write_weights: Callable[..., Path], build_upto: Any
) -> None:
    form = {"include_top": False, "input_shape": (*published_network(family).input_size, 3)}
    whole, part = build_upto(layer.removesuffix("+gap"), getattr(keras.applications, family), **form)
    file = write_weights(tmp_path / "weights.h5", whole, part=part)
    name = f"{family}:{layer}"
    ours = network(build(parse_network_name(name), str(file), weights_folder=tmp_path), name)
    keras_s = load_backbone(name, str(file), weights_folder=tmp_path)

    expected = keras_s.features_of(list(pixels))
    np.testing.assert_allclose(ours.features_of(pixels), expected, rtol=1e-4, atol=1e-4 * expected.std())
    assert expected.std(axis=0).max() > 0
    assert ours.feature_size == keras_s.feature_size


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """scikit-learn's two sample pictures, their middles."""
    cut = []
    for name in ("china.jpg", "flower.jpg"):
        picture = Image.fromarray(sklearn.datasets.load_sample_image(name))
        left, top = (picture.width - picture.height) // 2, 0
        square = picture.crop((left, top, left + picture.height, picture.height))
        cut.append(np.asarray(square.resize((224, 224), Image.Resampling.BICUBIC)))
    return np.stack(cut)


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return network(build(parse_network_name(LITE), weights_folder=tmp_path_factory.mktemp("weights")), LITE)


def test_efficientnet_lite_is_keras_within_rounding(lite: Network, samples: np.ndarray) -> None:
    model, _ = efficientnet_lite.filled("efficientnet_lite0", "imagenet")
    whole = keras.Model(model.input, [model.get_layer(each).output for each in ("block4_out", "head", "classes")])
    early, head, classes = (np.asarray(each) for each in whole(efficientnet_lite.preprocess(samples), training=False))
    expected = np.concatenate([early.mean((1, 2)), head.mean((1, 2)), classes], axis=1)
    np.testing.assert_allclose(lite.features_of(samples), expected, rtol=1e-3, atol=1e-4 * expected.std())


def test_a_dense_layer_behind_convolutions_sees_several_images_at_once(small: Built) -> None:
    """As in VGG16, in small; a dense layer of its size takes minutes to build."""
    layers = keras.layers
    convolutions = [layers.Conv2D(8, 3, 2, activation="relu"), layers.Flatten(), layers.Dense(20, activation="relu")]
    model = keras.Sequential([keras.Input((32, 32, 3)), *convolutions])
    source = CutNetwork(model, (32, 32), efficientnet_lite.preprocess, "0" * 64)
    data = building._converted(building._traced(source), None)
    changes = {"input_size": (32, 32), "layers": ("dense",), "shapes": ((20,),), "size": len(data)}
    ours = network(Built(data, small.manifest.model_copy(update=changes)), "vgg16:dense")

    images = np.random.default_rng(3).integers(0, 256, (19, 32, 32, 3), dtype=np.uint8)
    expected = np.asarray(model(efficientnet_lite.preprocess(images)))
    together = ours.features_of(images)
    np.testing.assert_allclose(together, expected, rtol=1e-4, atol=1e-4 * expected.std())
    np.testing.assert_array_equal(together, np.concatenate([ours.features_of(each[None]) for each in images]))


PALACE, DAISY = 698, 985
"""Of ImageNet's thousand classes."""


def test_efficientnet_lite_sees_what_is_there(lite: Network, samples: np.ndarray) -> None:
    assert lite.features_of(samples)[:, -1000:].argmax(axis=1).tolist() == [PALACE, DAISY]


def test_int8_is_other_features_that_say_the_same(lite: Network, samples: np.ndarray, tmp_path: Path) -> None:
    """And its file is a third of the size."""
    turned = [np.rot90(each, turns) for each in samples for turns in range(4)]
    built = build(
        parse_network_name(f"{LITE}+int8"),
        weights_folder=tmp_path,
        representative=Representative(np.stack(turned), "sample pictures"),
    )
    small = network(built, f"{LITE}+int8")
    exact, rounded = lite.features_of(samples), small.features_of(samples)
    assert rounded[:, -1000:].argmax(axis=1).tolist() == [PALACE, DAISY]
    assert built.manifest.size * 3 < lite.manifest.size
    assert small.fingerprint != lite.fingerprint
    for part in (slice(40), slice(40, -1000)):
        difference = np.linalg.norm(rounded[:, part] - exact[:, part]) / np.linalg.norm(exact[:, part])
        assert 0.001 < difference < 0.3
        assert np.corrcoef(rounded[:, part].ravel(), exact[:, part].ravel())[0, 1] > 0.95


def test_a_manifest_says_what_a_file_was_made_from(small: Built, small_weights: Path) -> None:
    import hashlib

    manifest = small.manifest
    assert manifest.digest == hashlib.sha256(small.data).hexdigest()
    assert manifest.weights_digest == hashlib.sha256(small_weights.read_bytes()).hexdigest()
    assert (manifest.input_size, manifest.shapes) == ((224, 224), ((112, 112, 16), (56, 56, 16)))
    assert {"tensorflow", "ai-edge-litert", "keras"} <= manifest.versions.keys()
    assert manifest.representative is None


def test_building_again_gives_the_same_file(small: Built, small_weights: Path) -> None:
    again = build(parse_network_name(small.manifest.name), str(small_weights), weights_folder=small_weights.parent)
    assert again.manifest.digest == small.manifest.digest
    assert again.manifest.check == small.manifest.check


def test_a_file_that_does_not_compute_what_keras_does_is_not_kept(
    small: Built, small_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is given the file of the right layers with the wrong weights."""
    other = build(parse_network_name("mobilenet-0.25:conv_pw_1_relu"), str(small_weights), weights_folder=Path())
    scaled = keras.applications.mobilenet.preprocess_input(np.zeros((1, 1, 3), np.float32))
    assert scaled.min() == -1
    monkeypatch.setattr(building, "_converted", lambda *_: other.data)
    monkeypatch.setattr(building, "_scaling", lambda _: (np.eye(3, dtype=np.float32), np.ones(3, np.float32)))
    with pytest.raises(BackboneError, match="does not compute what Keras does"):
        build(parse_network_name("mobilenet-0.25:conv_pw_1_relu"), str(small_weights), weights_folder=Path())


def test_a_layer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="has no layer 'block4'; did you mean block4_out"):
        build(parse_network_name("efficientnet_lite0:block4+gap"), weights_folder=tmp_path)
