import pytest

from worker.backbones.names import (
    BackboneError,
    BackboneName,
    canonical_family,
    parse_name,
    split_family,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("vgg16:fc1", "vgg16:fc1"),
        ("VGG16:fc1", "vgg16:fc1"),
        ("MobileNet:conv_pw_12_relu+gap", "mobilenet:conv_pw_12_relu+gap"),
        ("mobilenet-0.25:conv1_relu", "mobilenet-0.25:conv1_relu"),
        ("mobilenet-1.0:conv1_relu", "mobilenet:conv1_relu"),
        ("mobilenet-0.50:conv1_relu", "mobilenet-0.5:conv1_relu"),
        ("mobilenetv2:Conv_1", "mobilenetv2:Conv_1"),
    ],
)
def test_a_name_has_one_spelling(text: str, canonical: str) -> None:
    assert str(parse_name(text)) == canonical
    assert parse_name(canonical) == parse_name(text)


def test_the_parts_of_a_name() -> None:
    assert parse_name("mobilenet:relu+gap") == BackboneName("mobilenet", "relu", pooling=True)
    assert split_family("mobilenet-0.25") == ("mobilenet", 0.25)
    assert split_family("vgg16") == ("vgg16", 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vgg16",
        "vgg16:",
        ":fc1",
        "vgg16:fc1+max",
        "vgg16:fc1:fc2",
        "vgg16:../fc1",
        "vgg 16:fc1",
        "mobilenet-0:conv1",
    ],
)
def test_what_is_no_name_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BackboneError, match="write"):
        parse_name(text)


def test_a_family_is_no_whole_backbone() -> None:
    with pytest.raises(BackboneError, match="family"):
        canonical_family("vgg16:fc1")
