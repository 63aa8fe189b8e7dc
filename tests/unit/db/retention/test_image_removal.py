"""Removing photographs by key: on a folder and on another store of fsspec's, and never elsewhere."""

from pathlib import Path

import fsspec
import pytest

from db.line.photographs import MARK
from db.retention.image_removal import Images, Removal
from producer.contract.event import check_key


@pytest.mark.parametrize("key", [MARK, f"{MARK}a.jpg"])
def test_what_is_marked_as_removed_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="image key"):
        check_key(key)


@pytest.fixture(params=["folder", "file://", "memory://"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "images")
    return f"{request.param}{tmp_path}/images"


def put(root: str, key: str, data: bytes = b"jpeg") -> None:
    files, path = fsspec.core.url_to_fs(root)
    files.makedirs(f"{path}/{key}".rpartition("/")[0], exist_ok=True)
    files.pipe_file(f"{path}/{key}", data)


def test_what_is_named_goes_and_the_rest_stays(root: str) -> None:
    for key in ("st-1/a.jpg", "st-1/b.jpg", "st-1/c.jpg"):
        put(root, key)
    images = Images(root)
    assert images.size("st-1/a.jpg") == 4
    assert images.remove([]) == Removal(0, 0, ())
    assert images.remove(["st-1/a.jpg", "st-1/b.jpg"]) == Removal(2, 0, ())
    assert [images.size(f"st-1/{name}.jpg") for name in "abc"] == [None, None, 4]
    assert images.remove(["st-1/a.jpg", "st-1/c.jpg", "../c.jpg", "none/such.jpg"]).refused == ("../c.jpg",)
    assert images.size("st-1/c.jpg") is None


def test_no_link_leads_out_of_the_root(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.jpg").write_bytes(b"jpeg")
    root = tmp_path / "images"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "link.jpg").symlink_to(outside / "precious.jpg")
    keys = ["folder/precious.jpg", "link.jpg"]
    assert Images(str(root)).remove(keys) == Removal(0, 0, tuple(keys))
    assert (outside / "precious.jpg").exists()
    assert (root / "link.jpg").is_symlink()


def test_the_root_itself_may_be_reached_through_a_link(tmp_path: Path) -> None:
    put(str(tmp_path / "disk"), "a.jpg")
    (tmp_path / "images").symlink_to(tmp_path / "disk")
    assert Images(str(tmp_path / "images")).remove(["a.jpg"]) == Removal(1, 0, ())


def test_a_store_that_cannot_be_opened_says_so() -> None:
    with pytest.raises(ValueError, match="cannot open the image store 'nosuch://images'"):
        Images("nosuch://images")
