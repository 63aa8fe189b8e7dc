from __future__ import annotations

import pytest

from worker.backbones.names import BackboneError
from worker.networks.names import Output, parse_network_name


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("VGG16:fc1", "vgg16:fc1"),
        ("vgg16:fc1+int8", "vgg16:fc1+int8"),
        ("MobileNet-1.0:conv_pw_12_relu+gap", "mobilenet:conv_pw_12_relu+gap"),
        ("mobilenet-0.25:conv1_relu+max+int8", "mobilenet-0.25:conv1_relu+max+int8"),
        (" efficientnet_lite0:a+gap,b,a+max+int8 ", "efficientnet_lite0:a+gap,b,a+max+int8"),
        ("efficientnet_lite0:a+rows,b+gap+max+rows+int8", "efficientnet_lite0:a+rows,b+gap+max+rows+int8"),
        ("efficientnet_lite0:a+gap+max+min+fg,b+min,c+rows+fg+int8",) * 2,
        ("efficientnet_lite0:a+gap+max+min+mid+fg,b+mid+rows+int8",) * 2,
        ("efficientnet_lite0:a+rows+fg,b+gap+edge", "efficientnet_lite0:a+rows+fg,b+gap+edge"),
        ("efficientnet_lite0:a+gap+edge+int8", "efficientnet_lite0:a+gap+edge+int8"),
        ("Efficientnet_Lite0:a+gap+max,b+gap+max+int8", "efficientnet_lite0:a+gap+max,b+gap+max+int8"),
    ],
)
def test_a_name_has_one_spelling(text: str, canonical: str) -> None:
    assert str(parse_network_name(text)) == canonical
    assert parse_network_name(canonical) == parse_network_name(text)


def test_two_poolings_of_a_layer_are_one_output() -> None:
    first, second = parse_network_name("efficientnet_lite0:a+gap+max,b").outputs
    assert (first.poolings, second.poolings) == (("gap", "max"), ())


def test_without_a_background_is_no_pooling_but_how_it_pools() -> None:
    (output,) = parse_network_name("efficientnet_lite0:a+gap+min+fg").outputs
    assert output == Output("a", "gap+min", foreground=True)
    assert output.poolings == ("gap", "min")


def test_of_the_middle_there_are_a_largest_and_a_smallest_value() -> None:
    (output,) = parse_network_name("efficientnet_lite0:a+gap+mid+rows").outputs
    assert output.poolings == ("gap", "middle max", "middle min", "rows")


def test_poolings_belong_to_outputs_and_are_not_in_the_file() -> None:
    name = parse_network_name("efficientnet_lite0:a+gap,b,a+max+int8")
    assert name.outputs == (Output("a", "gap"), Output("b"), Output("a", "max"))
    assert (name.layers, name.arithmetic) == (("a", "b"), "int8")
    assert name.file_name == "efficientnet_lite0:a,b+int8"
    assert parse_network_name("efficientnet_lite0:a+gap,b,a+max+edge+int8").file_name == name.file_name


def test_along_an_edge_an_average_is_one_of_each_row() -> None:
    name = parse_network_name("efficientnet_lite0:a+gap+max+min+mid+fg,b+gap+int8")
    assert str(name.along_edge) == "efficientnet_lite0:a+max+min+rows+fg,b+rows+fg+edge+int8"
    assert parse_network_name("vgg16:fc1").along_edge is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vgg16",
        ":fc1",
        "vgg16:",
        "vgg16:fc1,",
        "vgg16:fc1+mean",
        "vgg16:+int8",
        "vgg16:fc1+int8+gap",
        "a b:c",
        "vgg16:a+max+gap",
        "vgg16:a+rows+gap",
        "vgg16:a+rows+rows",
        "vgg16:a+min+max",
        "vgg16:a+mid+min",
        "vgg16:a+fg",
        "vgg16:a+fg+gap",
        "vgg16:a+gap+edge,b+gap",
        "vgg16:a+gap+int8+edge",
    ],
)
def test_what_is_no_name_says_how_to_write_one(text: str) -> None:
    with pytest.raises(BackboneError, match="write"):
        parse_network_name(text)
