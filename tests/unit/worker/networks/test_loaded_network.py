from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from worker.backbones.names import BackboneError
from worker.images.region_cut import StripSize
from worker.models.evidence import evidence_map
from worker.networks.building import Built
from worker.networks.loaded_network import Network, NetworkUnfit, check_picture
from worker.networks.manifest import RECIPE
from worker.networks.names import parse_network_name
from worker.networks.store import NetworkStore


def network(built: Built, outputs: str, **changes: Any) -> Network:
    manifest = built.manifest.model_copy(update=changes)
    return Network(built.data, manifest, parse_network_name(f"mobilenet-0.25:{outputs}").outputs)


def test_outputs_are_pooled_and_joined_in_the_order_of_the_name(small: Built, pixels: np.ndarray) -> None:
    ours = network(small, "conv_dw_2_relu+max,conv_pw_1_relu+gap+min,conv_dw_2_relu")
    first, second = (layer[0] for layer in ours.maps(pixels[:1]))
    expected = np.concatenate([second.max((0, 1)), first.mean((0, 1)), first.min((0, 1)), second.ravel()])
    assert ours.feature_size == len(expected) == 16 + 2 * 16 + 56 * 56 * 16
    np.testing.assert_array_equal(ours.features_of(pixels[:1])[0], expected)
    assert ours.name == "mobilenet-0.25:conv_dw_2_relu+max,conv_pw_1_relu+gap+min,conv_dw_2_relu"


def test_rows_are_averaged_along_an_edge_and_kept_across_it(small: Built, pixels: np.ndarray) -> None:
    ours = network(small, "conv_dw_2_relu+gap+rows")
    _, maps = ours.maps(pixels[:1])
    rows, _, channels = maps[0].shape
    assert ours.feature_size == channels + rows * channels
    means, by_row = np.split(ours.features_of(pixels[:1])[0], [channels])
    np.testing.assert_allclose(by_row.reshape(rows, channels), maps[0].mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(by_row.reshape(rows, channels).mean(axis=0), means, rtol=1e-4, atol=1e-6)


POOLINGS = "gap+max+min+mid+rows"


def test_a_photograph_without_a_background_is_pooled_as_it_is_to_the_bit(small: Built, pixels: np.ndarray) -> None:
    with_fg, without = (network(small, f"conv_dw_2_relu+{POOLINGS}{fg}") for fg in ("+fg", ""))
    np.testing.assert_array_equal(with_fg.features_of(pixels), without.features_of(pixels))
    assert with_fg.fingerprint != without.fingerprint


def test_the_background_of_a_cut_out_is_left_out(small: Built, pixels: np.ndarray) -> None:
    """Of an insert in whole cells: what is pooled is what the maps have there, whatever they have beside it."""
    ours = network(small, f"conv_dw_2_relu+{POOLINGS}+fg")
    image = np.zeros_like(pixels[0])
    image[48:160, 32:192] = np.maximum(pixels[0, 48:160, 32:192], 30)
    inside = ours.maps(image[None])[1][0][12:40, 8:48]
    gap, largest, least, *middle, rows = np.split(ours.features_of([image, pixels[1]])[0], [16, 32, 48, 64, 80])
    np.testing.assert_allclose(gap, inside.mean((0, 1)), rtol=1e-4)
    np.testing.assert_array_equal(largest, inside.max((0, 1)))
    np.testing.assert_array_equal(least, inside.min((0, 1)))
    np.testing.assert_array_equal(middle, [inside[2:, 6:34].max((0, 1)), inside[2:, 6:34].min((0, 1))])
    np.testing.assert_allclose(rows.reshape(56, 16)[12:40], inside.mean(1), rtol=1e-4)


def test_the_middle_is_at_least_half_of_each_side(small: Built, pixels: np.ndarray) -> None:
    ours = network(small, "conv_dw_2_relu+gap+mid")
    middle = ours.maps(pixels[:1])[1][0][14:42, 14:42]
    _, largest, least = np.split(ours.features_of(pixels[:1])[0], 3)
    np.testing.assert_array_equal([largest, least], [middle.max((0, 1)), middle.min((0, 1))])


def test_a_cut_out_that_is_not_in_the_middle_has_all_of_it_there(small: Built, pixels: np.ndarray) -> None:
    image = np.zeros_like(pixels[0])
    image[:40, :40] = np.maximum(pixels[0, :40, :40], 30)
    largest, least, *middle = np.split(network(small, "conv_dw_2_relu+max+min+mid+fg").features_of([image])[0], 4)
    np.testing.assert_array_equal(middle, [largest, least])


def test_an_image_has_the_same_features_in_every_batch(small: Built, pixels: np.ndarray) -> None:
    ours = network(small, "conv_dw_2_relu+gap")
    together = ours.features_of(pixels)
    np.testing.assert_array_equal(together, np.concatenate([ours.features_of(each[None]) for each in pixels]))
    assert ours.features_of(pixels[:0]).shape == (0, 16)
    assert len(np.unique(together, axis=0)) == len(pixels)


def test_a_decision_is_traced_back_to_places_exactly(small: Built, pixels: np.ndarray) -> None:
    ours = network(small, f"conv_dw_2_relu+max,conv_pw_1_relu+{POOLINGS}+fg,conv_dw_2_relu")
    pixels = pixels.copy()
    pixels[1, :, 90:] = 0
    pixels[2, 150:] = 0
    features, images = ours.features_and_maps(pixels)
    np.testing.assert_array_equal(features, ours.features_of(pixels))
    random = np.random.default_rng(0)
    coef = random.normal(size=ours.feature_size).astype(np.float32)
    usual = features.mean(axis=0)
    assert [seen.foreground is None for seen in images] == [True, False, False]
    for vector, seen in zip(features, images, strict=True):
        shares = evidence_map(coef, usual, ours.outputs, seen.maps, seen.foreground).shares
        assert shares.shape == (28, 28)
        decision, constant = (float(coef.astype(float) @ values.astype(float)) for values in (vector, usual))
        assert shares.sum() + constant == pytest.approx(decision, abs=1e-5 * float(np.abs(coef * vector).sum()))
    assert ours.has_places


def test_along_a_found_edge_it_takes_strips_and_traces_nothing_back(small: Built, tmp_path: Path) -> None:
    store = NetworkStore(str(tmp_path))
    store.add(small.data, small.manifest)
    whole, strip = (store.open(f"{small.manifest.name}+gap{edge}") for edge in ("", "+edge"))
    assert isinstance(strip.input_size, StripSize)
    assert not isinstance(whole.input_size, StripSize)
    assert strip.input_size == whole.input_size
    assert strip.digest == whole.digest
    assert strip.fingerprint != whole.fingerprint
    assert (whole.has_places, strip.has_places) == (True, False)
    assert strip.name == f"{small.manifest.name}+gap+edge"


def test_a_fingerprint_is_of_the_file_the_recipe_and_the_outputs(small: Built) -> None:
    def fingerprint(outputs: str, **changes: Any) -> str:
        return network(small, outputs, **changes).fingerprint

    a = fingerprint("conv_pw_1_relu+gap")
    others = [
        fingerprint("conv_pw_1_relu+max"),
        fingerprint("conv_pw_1_relu"),
        fingerprint("conv_pw_1_relu+gap", recipe=RECIPE - 1),
        fingerprint("conv_pw_1_relu+gap", digest="0" * 64),
    ]
    assert len({a, *others}) == 5
    assert a == fingerprint("conv_pw_1_relu+gap", check=(), versions={})


@pytest.mark.parametrize(
    ("images", "match"),
    [
        (np.zeros((1, 224, 224, 3), np.float32), "not float32"),
        (np.zeros((1, 224, 225, 3), np.uint8), r"not uint8 of shape \(224, 225, 3\)"),
        (np.zeros((224, 224, 3), np.uint8), r"of shape \(224, 3\)"),
    ],
)
def test_other_pixels_are_refused(images: np.ndarray, match: str, small: Built) -> None:
    with pytest.raises(ValueError, match=match):
        network(small, "conv_pw_1_relu+gap").features_of(images)


def test_a_layer_that_is_not_in_the_file_is_refused(small: Built) -> None:
    with pytest.raises(BackboneError, match="puts out no layer conv_pw_5_relu"):
        network(small, "conv_pw_5_relu")


def test_a_file_that_is_no_network_is_refused_in_words(small: Built) -> None:
    outputs = parse_network_name(small.manifest.name).outputs
    for data in (b"", b"no flatbuffer at all", small.data[: len(small.data) // 2], b"\0" * 5000):
        with pytest.raises(NetworkUnfit, match="LiteRT cannot run"):
            Network(data, small.manifest, outputs)


@pytest.mark.parametrize("changes", [{"input_size": (192, 192)}, {"shapes": ((112, 112, 16), (56, 56, 32))}])
def test_a_file_of_another_network_than_its_manifest_s_is_refused(changes: dict[str, Any], small: Built) -> None:
    with pytest.raises(NetworkUnfit, match="is not the network"):
        network(small, "conv_pw_1_relu", **changes)


def test_a_network_that_computes_something_else_is_found(small: Built) -> None:
    network(small, "conv_pw_1_relu").check()
    first, second = small.manifest.check
    other = (first, (second[0] + 0.1 * max(map(abs, second)), *second[1:]))
    with pytest.raises(NetworkUnfit, match="layer conv_dw_2_relu"):
        network(small, "conv_pw_1_relu", check=other).check()


def test_the_check_picture_has_every_brightness() -> None:
    picture = check_picture((224, 260))
    assert (picture.shape, picture.dtype) == ((224, 260, 3), np.uint8)
    assert len(np.unique(picture)) == 256


RUN = """
import sys
import numpy as np
from worker.networks.store import NetworkStore
features = NetworkStore(sys.argv[1]).open(sys.argv[2]).features_of(np.full((2, 224, 224, 3), 90, np.uint8))
print(features.shape, *{name.partition(".")[0] for name in sys.modules}, sep="\\n")
"""


def test_running_loads_neither_tensorflow_nor_scikit_learn_and_says_nothing(small: Built, tmp_path: Path) -> None:
    NetworkStore(str(tmp_path)).add(small.data, small.manifest)
    command = [sys.executable, "-c", RUN, str(tmp_path), "mobilenet-0.25:conv_pw_1_relu+gap,conv_dw_2_relu+max"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    shape, *loaded = done.stdout.splitlines()
    assert (shape, done.stderr) == ("(2, 32)", "")
    assert {"tensorflow", "keras", "sklearn", "scipy", "psycopg", "sqlalchemy", "h5py"}.isdisjoint(loaded)
    assert "ai_edge_litert" in loaded
