from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from worker.backbones.backbone import Backbone, BackboneError, WeightsMissing, WeightsUnfit, load_backbone
from worker.backbones.keras_families import published_network
from worker.backbones.weight_import import import_weights
from worker.backbones.weight_store import WeightsStore

Writer = Callable[..., Path]


def images(backbone: Backbone, count: int = 2) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *backbone.input_size, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, write_weights: Writer, randomise: Callable[..., Any]) -> Path:
    """MobileNet at a quarter of its width, random values, without its top."""
    network = keras.applications.MobileNet(alpha=0.25, include_top=False, input_shape=(224, 224, 3), weights=None)
    return write_weights(tmp_path_factory.mktemp("small") / "mobilenet.h5", randomise(network))


def load(layer: str, weights: Path | str, folder: Path, **options: Any) -> Backbone:
    return load_backbone(f"mobilenet-0.25:{layer}", str(weights), weights_folder=folder, **options)


def _older_names(network: Any) -> dict[str, str]:
    """Number layers from one, as Keras did when the older files were published: conv2d → conv2d_1 and so on."""
    counted = ("conv2d", "batch_normalization", "normalization", "layer_normalization")
    found: dict[str, str] = {}
    for kind in counted:
        same = [layer.name for layer in network.layers if re.fullmatch(rf"{kind}(_\d+)?", layer.name)]
        found |= {name: f"{kind}_{number}" for number, name in enumerate(same, start=1)}
    return found


def check_part(model: str, layer: str, path: Path, reference: Any, whole: Any) -> None:
    """Hold the backbone against what Keras has of the whole network up to the same layer, with the same values."""
    backbone = load_backbone(f"{model}:{layer}", str(path), weights_folder=path.parent)
    prepared = backbone.prepare(images(backbone, 1))
    expected = reference(prepared, training=False).numpy()
    features = backbone.features(prepared)
    assert expected.std() > 0
    assert features.shape == (1, backbone.feature_size)
    np.testing.assert_allclose(features, expected.reshape(1, -1), rtol=1e-4, atol=1e-4 * expected.std())
    assert backbone.parameters < whole.count_params()


# One of each kind: plain, by name with several forms of layer, numbered layers, separable ones, nested ones.
@pytest.mark.parametrize(
    ("model", "layer"),
    [
        ("MobileNetV2", "block_3_expand_relu"),
        ("ResNet50", "conv2_block2_out"),
        ("InceptionV3", "mixed1"),
        ("Xception", "block4_pool"),
        ("ConvNeXtTiny", "convnext_tiny_stage_1_block_0_layer_scale"),
    ],
)
def test_the_part_gives_what_the_whole_network_gives(
    model: str, layer: str, tmp_path: Path, write_weights: Writer, build_upto: Callable[..., tuple[Any, Any]]
) -> None:
    form = {"include_top": False, "input_shape": (*published_network(model).input_size, 3)}
    whole, part = build_upto(layer, getattr(keras.applications, model), **form)
    check_part(model, layer, write_weights(tmp_path / "weights.h5", whole, _older_names(whole), part), part, whole)


@pytest.mark.parametrize(
    ("model", "layer"), [("EfficientNetB0", "block2a_expand_activation"), ("MobileNetV3Small", "expanded_conv_2_add")]
)
def test_the_part_gives_what_keras_gives_from_the_same_published_file(
    model: str,
    layer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_weights: Writer,
    build_upto: Callable[..., tuple[Any, Any]],
) -> None:
    build = getattr(keras.applications, model)
    form = {"include_top": False, "input_shape": (224, 224, 3)}
    whole, part = build_upto(layer, build, **form)
    path = write_weights(tmp_path / "weights.h5", whole, _older_names(whole), part)
    # Only the download is replaced: Keras then builds the form of the network that its published weights are for
    # (EfficientNet's has one layer more) and reads the file in its own way.
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(path))
    keras_s = build(weights="imagenet", **form)
    check_part(model, layer, path, keras.Model(keras_s.input, keras_s.get_layer(layer).output), keras_s)


def test_what_a_backbone_says_of_itself(small: Path, tmp_path: Path) -> None:
    backbone = load("conv1_relu", small, tmp_path)
    assert (backbone.name, backbone.family, backbone.layer) == (
        "mobilenet-0.25:conv1_relu",
        "mobilenet-0.25",
        "conv1_relu",
    )
    assert backbone.pooling is False
    assert backbone.input_size == (224, 224)
    assert backbone.feature_size == 112 * 112 * 8
    assert (backbone.layers, backbone.parameters) == (4, 3 * 3 * 3 * 8 + 4 * 8)
    assert backbone.network_summary() == published_network("mobilenet-0.25").summary()
    assert re.fullmatch("[0-9a-f]{64}", backbone.fingerprint)


def test_pooling_averages_each_channel_over_the_image(small: Path, tmp_path: Path) -> None:
    flat, pooled = load("conv_pw_2_relu", small, tmp_path), load("conv_pw_2_relu+gap", small, tmp_path)
    prepared = flat.prepare(images(flat))
    expected = flat.features(prepared).reshape(2, -1, pooled.feature_size).mean(axis=1)
    assert pooled.feature_size == 32
    np.testing.assert_allclose(pooled.features(prepared), expected, rtol=1e-4, atol=1e-5)


def test_every_batch_size_gives_the_same_features_and_none_traces_again(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = load("conv_pw_3_relu+gap", small, tmp_path)
    monkeypatch.setattr(keras.Model, "__call__", lambda *_, **__: pytest.fail("the network was traced again"))
    backbone.warm_up([1, 4])
    prepared = backbone.prepare(images(backbone, 5))
    together = backbone.features(prepared)
    for number in range(5):
        np.testing.assert_allclose(backbone.features(prepared[number : number + 1])[0], together[number], rtol=1e-4)


def test_images_prepared_a_few_at_a_time_have_the_features_of_those_prepared_at_once(
    small: Path, tmp_path: Path
) -> None:
    backbone = load("conv_pw_1_relu", small, tmp_path)
    backbone._forward.part = 3
    pixels = images(backbone, 7)
    np.testing.assert_array_equal(backbone.features_of(list(pixels)), backbone.features(backbone.prepare(pixels)))
    with pytest.raises(ValueError, match="uint8"):
        backbone.features_of([pixels[0].astype(np.float32)])


def test_threads_may_use_one_backbone_at_once(small: Path, tmp_path: Path) -> None:
    backbone = load("conv_pw_3_relu+gap", small, tmp_path)
    photographs = images(backbone, 8)
    expected = backbone.features(backbone.prepare(photographs))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda each: backbone.features(backbone.prepare(each)[None])[0], photographs))
    np.testing.assert_allclose(np.stack(found), expected, rtol=1e-4)


def test_images_of_another_size_or_type_are_refused(small: Path, tmp_path: Path) -> None:
    backbone = load("conv1_relu", small, tmp_path)
    good = images(backbone)
    for bad in (good[:, :100], good.astype(np.float32), good[..., :1]):
        with pytest.raises(ValueError, match="takes uint8 images"):
            backbone.prepare(bad)
    for prepared in (good, backbone.prepare(good)[0], backbone.prepare(good).astype(np.float64)):
        with pytest.raises(ValueError, match="takes float32"):
            backbone.features(prepared)


def test_lab_preprocessing_is_from_minus_one_to_one(
    tmp_path: Path, write_weights: Writer, randomise: Callable[..., Any]
) -> None:
    network = keras.applications.VGG16(include_top=False, input_shape=(224, 224, 3), weights=None)
    path = write_weights(tmp_path / "vgg16.h5", randomise(network))
    own = load_backbone("vgg16:block1_conv1", str(path), weights_folder=tmp_path)
    lab = load_backbone("vgg16:block1_conv1", str(path), weights_folder=tmp_path, lab_preprocessing=True)
    image = images(lab, 1)[0]
    np.testing.assert_allclose(lab.prepare(image), image / 127.5 - 1, atol=1e-6)
    assert abs(own.prepare(image)).max() > 100
    assert own.fingerprint != lab.fingerprint
    with pytest.raises(WeightsUnfit, match="without the network's top"):
        load_backbone("vgg16:fc1", str(path), weights_folder=tmp_path)
    with pytest.raises(BackboneError, match=r"\+gap averages over an image"):
        load_backbone("vgg16:flatten+gap", str(path), weights_folder=tmp_path)


def test_the_fingerprint_names_what_the_features_depend_on(
    small: Path, tmp_path: Path, write_weights: Writer, randomise: Callable[..., Any]
) -> None:
    network = keras.applications.MobileNet(alpha=0.25, include_top=False, input_shape=(224, 224, 3), weights=None)
    other = write_weights(tmp_path / "other.h5", randomise(network, seed=1))
    first = load("conv_pw_1_relu", small, tmp_path)
    assert load("conv_pw_1_relu", small, tmp_path / "elsewhere").fingerprint == first.fingerprint
    different = [
        load("conv_pw_1_relu", other, tmp_path),
        load("conv_pw_1_relu+gap", small, tmp_path),
        load("conv_pw_1_bn", small, tmp_path),
        load("conv_pw_1_relu", small, tmp_path, lab_preprocessing=True),
    ]
    assert len({first.fingerprint, *(each.fingerprint for each in different)}) == 5


def test_a_tilde_in_a_weight_file_s_path_is_the_home_folder(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(small.parent))
    there = load("conv_pw_1_relu", small, tmp_path)
    assert load("conv_pw_1_relu", Path("~") / small.name, tmp_path).fingerprint == there.fingerprint


def test_an_incomplete_file_serves_as_far_as_it_goes(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "partial.h5"
    path.write_bytes(small.read_bytes())
    with h5py.File(path, "a") as file:
        kernel = file["conv_pw_13"][file["conv_pw_13"].attrs["weight_names"][0]]
        kernel[...] = np.zeros(kernel.shape)
    assert load("conv_dw_13_relu+gap", path, tmp_path).feature_size == 256
    with pytest.raises(WeightsUnfit, match=r"kernel of layer conv_pw_13 is all zero: this file is incomplete"):
        load("conv_pw_13_relu", path, tmp_path)


def test_a_file_for_another_width_is_named_as_such(small: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsUnfit, match=r"0\.25 times as wide"):
        load_backbone("mobilenet:conv1_relu", str(small), weights_folder=tmp_path)


def test_imagenet_weights_come_from_the_weights_folder(small: Path, tmp_path: Path) -> None:
    entry = import_weights(tmp_path, small, "mobilenet-0.25")
    named = load("conv1_relu", "imagenet", tmp_path)
    assert load("conv1_relu", entry.digest[:8], tmp_path).fingerprint == named.fingerprint
    assert load("conv1_relu", "mobilenet.h5", tmp_path).fingerprint == named.fingerprint
    assert load("conv1_relu", small, tmp_path).fingerprint == named.fingerprint
    with pytest.raises(WeightsUnfit, match=r"imported for mobilenet-0\.25, not for vgg16"):
        load_backbone("vgg16:fc1", "mobilenet.h5", weights_folder=tmp_path)
    WeightsStore(tmp_path).path(entry).write_bytes(b"changed")
    with pytest.raises(WeightsUnfit, match="was changed"):
        load("conv1_relu", "imagenet", tmp_path)


def test_changed_weights_are_refused_also_where_they_still_fit(small: Path, tmp_path: Path) -> None:
    entry = import_weights(tmp_path, small, "mobilenet-0.25")
    with h5py.File(WeightsStore(tmp_path).path(entry), "a") as file:
        kernel = file["conv1"][file["conv1"].attrs["weight_names"][0]]
        kernel[...] = 2 * kernel[...]
    with pytest.raises(WeightsUnfit, match="was changed"):
        load("conv1_relu", "imagenet", tmp_path)


def test_weights_that_are_nowhere_end_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of the download itself, which imports Keras once more, `tests/acceptance/test_weights.py` asks this.
    monkeypatch.setattr("worker.backbones.weight_import._DOWNLOAD", "import sys; sys.exit('no connection')")
    with pytest.raises(
        WeightsMissing, match=r"weights fetch mobilenetv2 --no-top'.*weights import FILE --family mobile"
    ):
        load_backbone("mobilenetv2:Conv1", weights_folder=tmp_path)
    with pytest.raises(WeightsMissing, match="weights list"):
        load_backbone("vgg16:fc1", "nowhere.h5", weights_folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


_VGG16_FC1 = """
import gc, json, resource, sys
from pathlib import Path
import numpy as np, tensorflow as tf
from worker.backbones.backbone import load_backbone

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB

before = peak()
backbone = load_backbone("vgg16:fc1", sys.argv[1], weights_folder=Path("none"))
gc.collect()
held = sum(int(np.prod(each.shape)) for each in gc.get_objects() if isinstance(each, tf.Variable))
grew = peak() - before
print(json.dumps({"held": held, "parameters": backbone.parameters, "size": backbone.feature_size, "grew": grew}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read through resource")
def test_vgg16_fc1_holds_nothing_of_the_later_dense_layers(tmp_path: Path) -> None:
    network = published_network("vgg16")
    path = tmp_path / "vgg16.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [spec.name.encode() for spec in network.specs]
        for spec in network.specs:
            group = file.create_group(spec.name)
            group.attrs["weight_names"] = [name.encode() for name in spec.weight_names]
            for name, shape in zip(spec.weight_names, spec.shapes, strict=True):
                # Never written, so it takes no room on the disk: a reader sees the fill value everywhere. Values that
                # are not numbers, so that reading the later layers would not go unnoticed.
                group.create_dataset(
                    name, shape, np.float32, fillvalue=np.nan if spec.name in ("fc2", "predictions") else 0.01
                )
    done = subprocess.run([sys.executable, "-c", _VGG16_FC1, str(path)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["size"] == 4096
    assert found["held"] == found["parameters"] == 138_357_544 - (4096 * 4096 + 4096) - (4096 * 1000 + 1000)
    # The weights themselves (448 MiB) and no layer twice: fc1's kernel alone has 392 MiB.
    assert found["grew"] < 448 + 150


def test_the_shared_partial_mobilenet(shared: Path, tmp_path: Path) -> None:
    path = shared / "weights" / "mobilenet_1_0_224_tf_no_top.partial.h5"
    lab = load_backbone("mobilenet:conv1_relu", str(path), weights_folder=tmp_path)
    assert lab.feature_size == 401_408
    assert load_backbone("mobilenet:conv_pw_12_relu+gap", str(path), weights_folder=tmp_path).feature_size == 1024
    with pytest.raises(WeightsUnfit, match="all zero"):
        load_backbone("mobilenet:conv_pw_13_relu", str(path), weights_folder=tmp_path)
    reference = keras.applications.MobileNet(include_top=False, input_shape=(224, 224, 3), weights=str(path))
    prepared = lab.prepare(images(lab, 1))
    expected = keras.Model(reference.input, reference.get_layer("conv1_relu").output)(prepared).numpy()
    np.testing.assert_allclose(lab.features(prepared), expected.reshape(1, -1), atol=1e-4)
