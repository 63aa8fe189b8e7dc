import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

from worker.backbones import keras_families
from worker.backbones.keras_families import (
    PublishedNetwork,
    families,
    preprocess,
    published_network,
    scale_symmetric,
)
from worker.backbones.names import BackboneError


def values_held() -> int:
    """How many numbers all TensorFlow variables of this process hold together."""
    gc.collect()
    return sum(int(np.prod(each.shape)) for each in gc.get_objects() if isinstance(each, tf.Variable))


def built_anew(family: str) -> PublishedNetwork:
    """As `published_network` builds it the first time; those that are there already stay."""
    return keras_families._built.__wrapped__(family)


def test_every_family_of_keras_is_there() -> None:
    assert {"vgg16", "mobilenet", "resnet50", "efficientnetb0", "convnexttiny"} <= set(families())


# Parameters from the table of Keras's documentation (keras.io/api/applications); multiply-adds from the papers:
# VGG16 15.5e9 (He et al. 2015), MobileNet 569e6 (Howard et al. 2017), ResNet50 3.9e9 (Keras strides differently).
@pytest.mark.parametrize(
    ("family", "size", "weighted", "parameters", "multiply_adds"),
    [
        ("vgg16", 224, 16, 138_357_544, 15.47e9),
        ("mobilenet", 224, 55, 4_253_864, 569e6),
        ("mobilenet-0.25", 224, 55, 475_544, 41e6),
        ("resnet50", 224, 107, 25_636_712, 3.9e9),
        ("inceptionv3", 299, 189, 23_851_784, 5.7e9),
        ("mobilenetv3small", 224, 88, 2_554_968, 56e6),
    ],
)
def test_networks_are_the_published_ones(
    family: str, size: int, weighted: int, parameters: int, multiply_adds: float
) -> None:
    network = published_network(family)
    summary = network.summary()
    assert network.input_size == (size, size)
    assert summary.parameters == parameters
    assert summary.multiply_adds == pytest.approx(multiply_adds, rel=0.04)
    assert len(network.specs) == weighted
    assert summary.layers > weighted


def test_a_published_network_takes_no_memory_for_weights_now_or_later() -> None:
    before = values_held()
    network = built_anew("vgg16")
    # The next model in this thread would have Keras initialise whatever it had been left with.
    another = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    assert values_held() - before == another.count_params() == 9
    assert network.summary().parameters == 138_357_544


@pytest.mark.parametrize("family", ["vgg16", "mobilenet", "inceptionv3", "densenet121", "xception", "efficientnetb0"])
def test_without_its_top_a_network_is_the_beginning_of_the_whole_one(family: str) -> None:
    network = published_network(family)
    assert network.headless_specs == network.specs[: len(network.headless_specs)]
    assert network.top_layers() == {spec.name for spec in network.specs[len(network.headless_specs) :]}


def test_automatic_names_start_anew_for_each_network() -> None:
    first, again = published_network("inceptionv3"), built_anew("inceptionv3")
    assert first is not again
    assert first.specs == again.specs
    assert first.specs[0].name == "conv2d"
    assert first.specs[0].auto_named
    assert not first.specs[-1].auto_named


def test_a_network_is_built_once_however_its_family_is_written() -> None:
    assert published_network("mobilenet-0.25") is published_network("MobileNet-0.250")


def test_an_unknown_family_lists_close_ones() -> None:
    with pytest.raises(BackboneError, match=r"did you mean mobilenet\b"):
        published_network("mobilenett")
    with pytest.raises(BackboneError, match="there are: convnextbase, "):
        published_network("yolo")


def test_a_width_where_there_is_one_only_is_refused() -> None:
    with pytest.raises(BackboneError, match="one width only"):
        published_network("vgg16-0.5")


def test_an_unknown_layer_lists_close_ones_and_all() -> None:
    with pytest.raises(BackboneError, match=r"did you mean conv1_relu, .*Its layers: .*conv_pw_13_relu"):
        published_network("mobilenet").cut("conv1_rely")


def test_every_family_has_its_preprocessing() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    assert all(preprocess(family, image).shape == image.shape for family in families())


def test_preprocessing_is_each_familys_own() -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    kept = image.copy()
    caffe = image[..., ::-1] - np.array([103.939, 116.779, 123.68])
    torch = (image / 255.0 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    for family, expected in {
        "vgg16": caffe,
        "resnet50": caffe,
        "mobilenet-0.25": image / 127.5 - 1,
        "densenet121": torch,
        "efficientnetb0": image,
    }.items():
        prepared = preprocess(family, image)
        assert prepared.dtype == np.float32
        assert prepared.flags.c_contiguous
        np.testing.assert_allclose(prepared, expected, atol=1e-4)
        np.testing.assert_allclose(preprocess(family, np.stack([image] * 2))[1], prepared)
    np.testing.assert_allclose(scale_symmetric(image), image / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(image, kept)
