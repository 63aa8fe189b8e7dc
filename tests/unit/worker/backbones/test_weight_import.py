from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from s3fs import S3FileSystem

from worker.backbones.names import BackboneError, WeightsMissing, WeightsUnfit
from worker.backbones.weight_import import how_to_get, import_from_url, import_weights
from worker.backbones.weight_store import WeightsStore

Writer = Callable[..., Path]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, write_weights: Writer, randomise: Callable[..., Any]) -> Path:
    """MobileNet at a quarter of its width, random values, with its top."""
    network = keras.applications.MobileNet(alpha=0.25, weights=None)
    return write_weights(tmp_path_factory.mktemp("whole") / "whole.h5", randomise(network))


def _without(path: Path, target: Path, names: set[str]) -> Path:
    target.write_bytes(path.read_bytes())
    with h5py.File(target, "a") as file:
        file.attrs["layer_names"] = [name for name in file.attrs["layer_names"] if name not in names]
    return target


def test_a_whole_file_is_kept_with_what_it_has(whole: Path, tmp_path: Path) -> None:
    entry = import_weights(tmp_path, whole, "MobileNet-0.25")
    assert (entry.family, entry.top, entry.layers, entry.missing) == ("mobilenet-0.25", True, 55, ())
    assert entry.usable_to == "predictions"
    assert WeightsStore(tmp_path).checked_path(entry).read_bytes() == whole.read_bytes()


def test_a_file_whose_name_is_no_text_is_kept_and_found_by_it(whole: Path, tmp_path: Path) -> None:
    path = whole.rename(whole.with_name(os.fsdecode(b"gewichte-\xfc.h5")))
    try:
        entry = import_weights(tmp_path, path, "mobilenet-0.25")
    finally:
        path.rename(whole)
    assert entry.source == r"gewichte-\xfc.h5"
    assert WeightsStore(tmp_path).named(path.name) == WeightsStore(tmp_path).named(entry.source) == entry


def test_a_file_in_s3_is_copied_and_kept(whole: Path, tmp_path: Path, s3_root: str) -> None:
    S3FileSystem().put_file(str(whole), f"{s3_root}/mobilenet.h5")
    entry = import_from_url(tmp_path, f"{s3_root}/mobilenet.h5", "mobilenet-0.25")
    assert (entry.source, entry.missing) == ("mobilenet.h5", ())
    assert WeightsStore(tmp_path).checked_path(entry).read_bytes() == whole.read_bytes()
    with pytest.raises(FileNotFoundError, match="no such object"):
        import_from_url(tmp_path, f"{s3_root}/mobilnet.h5", "mobilenet-0.25")
    with pytest.raises(OSError, match="no such bucket"):
        import_from_url(tmp_path, "s3://misspelt/mobilenet.h5", "mobilenet-0.25")
    with pytest.raises(ValueError, match="cannot read"):
        import_from_url(tmp_path, "nonsense://mobilenet.h5", "mobilenet-0.25")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".h5", ".json"], "nothing half copied is left"


def test_a_file_without_the_top_says_so(whole: Path, tmp_path: Path) -> None:
    entry = import_weights(tmp_path, _without(whole, tmp_path / "w.h5", {"conv_preds"}), "mobilenet-0.25")
    assert (entry.top, entry.missing) == (False, ("conv_preds",))
    assert entry.usable_to in ("global_average_pooling2d", "dropout")


def test_placeholders_and_gaps_count_as_missing(whole: Path, tmp_path: Path) -> None:
    path = _without(whole, tmp_path / "w.h5", {"conv_preds", "conv_dw_13"})
    with h5py.File(path, "a") as file:
        kernel = file["conv_pw_12"][file["conv_pw_12"].attrs["weight_names"][0]]
        kernel[...] = np.zeros(kernel.shape)
    entry = import_weights(tmp_path, path, "mobilenet-0.25")
    assert entry.missing == ("conv_pw_12", "conv_dw_13", "conv_preds")
    assert entry.usable_to == "conv_dw_12_relu"


@pytest.mark.parametrize("family", ["mobilenet", "mobilenetv2", "vgg16"])
def test_a_file_for_another_network_is_refused_and_not_kept(whole: Path, tmp_path: Path, family: str) -> None:
    with pytest.raises(WeightsUnfit, match=f"does not fit {family}"):
        import_weights(tmp_path, whole, family)
    assert WeightsStore(tmp_path).entries() == []


def test_what_is_no_file_or_no_family_is_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="there is no file"):
        import_weights(tmp_path, tmp_path / "nowhere.h5", "vgg16")
    with pytest.raises(BackboneError, match="no family"):
        import_weights(tmp_path, whole, "mobilenett")


def test_the_shared_partial_mobilenet(shared: Path, tmp_path: Path) -> None:
    entry = import_weights(tmp_path, shared / "weights" / "mobilenet_1_0_224_tf_no_top.partial.h5", "mobilenet")
    assert entry.missing == ("conv_pw_13", "conv_preds")
    assert entry.usable_to == "conv_dw_13_relu"


def test_without_a_connection_it_says_what_can_be_done_and_where_that_is_written() -> None:
    said = how_to_get("vgg16", top=False, reason="no route to host")
    assert "(no route to host)" in said
    assert "'insert-worker weights fetch vgg16 --no-top'" in said
    for way in ("`insert-worker weights import FILE --family vgg16`", "--weights FILE", "`insert-worker compare`"):
        assert way in said
    page, _, section = re.findall(r"(docs/[a-z]+\.md)(#)([a-z-]+)", said)[0]
    written = (Path(__file__).parents[4] / page).read_text("utf-8")
    assert f"## {section.replace('-', ' ').capitalize()}\n" in written
