from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from producer.storage.folder import FolderStore
from producer.storage.object_store import RemoteStore
from producer.storage.opening import check_store, open_file_store, open_image_store
from producer.storage.store import ImageMissing, ImageRefused, ImageStore

KINDS = ["folder", "memory", pytest.param("s3", marks=pytest.mark.slow)]  # a server of its own


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ImageStore:
    if request.param == "s3":
        return open_image_store(request.getfixturevalue("s3_root"))
    return open_image_store(str(tmp_path / "images") if request.param == "folder" else f"memory://{tmp_path}")


def test_what_is_put_can_be_got(store: ImageStore) -> None:
    assert store.put("a/b/c.jpg", b"image") == hashlib.sha256(b"image").hexdigest()
    assert store.get("a/b/c.jpg", 5) == b"image"


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_of_files_says_what_it_holds_and_lets_go_of_it(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    root = {"folder": str(tmp_path / "files"), "memory": f"memory://{tmp_path}/files"}.get(kind)
    files = open_file_store(root or request.getfixturevalue("s3_root"), "the store of files")
    assert files.keys() == []
    for key in ("b.json", "a.json"):
        files.put(key, b"content")
    assert files.keys() == ["a.json", "b.json"]
    for _ in range(2):
        files.remove("a.json")
    assert files.keys() == ["b.json"]
    with pytest.raises(ImageMissing):
        files.get("a.json", 100)
    with pytest.raises(ValueError, match="relative"):
        files.remove("../b.json")


def test_the_same_image_twice_is_once_and_another_one_is_refused(store: ImageStore) -> None:
    store.put("a.jpg", b"image")
    store.put("a.jpg", b"image")
    with pytest.raises(ValueError, match="another image"):
        store.put("a.jpg", b"other")
    assert store.get("a.jpg", 100) == b"image"


def test_what_is_not_there_is_missing(store: ImageStore) -> None:
    with pytest.raises(ImageMissing, match=r"a\.jpg"):
        store.get("a.jpg", 100)


def test_an_image_that_comes_later_is_seen(store: ImageStore) -> None:
    for _ in range(2):
        with pytest.raises(ImageMissing):
            store.get("a/b.jpg", 100)
    store.put("a/b.jpg", b"image")
    assert store.get("a/b.jpg", 100) == b"image"


def test_an_image_of_no_bytes_is_one(store: ImageStore) -> None:
    store.put("a.jpg", b"")
    store.put("a.jpg", b"")
    assert store.get("a.jpg", 100) == b""


def test_a_store_that_answers_passes_the_check(store: ImageStore) -> None:
    check_store(store)


def test_more_than_the_limit_is_refused(store: ImageStore) -> None:
    store.put("a.jpg", bytes(101))
    with pytest.raises(ImageRefused, match="100 bytes"):
        store.get("a.jpg", 100)


@pytest.mark.parametrize("store", ["folder", "memory"], indirect=True)
@pytest.mark.parametrize("key", ["../a.jpg", "a/../../b.jpg", "/etc/passwd", "a\\b.jpg", ".hidden", "a//b", "", "a/"])
def test_unsafe_keys_are_refused(store: ImageStore, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        store.get(key, 100)
    with pytest.raises(ValueError, match="key"):
        store.put(key, b"image")


@pytest.mark.parametrize("link", ["file", "folder"])
def test_symbolic_links_are_not_followed(tmp_path: Path, link: str) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.jpg").write_bytes(b"secret")
    root = tmp_path / "images"
    root.mkdir()
    if link == "file":
        (root / "a.jpg").symlink_to(secret / "a.jpg")
        key = "a.jpg"
    else:
        (root / "b").symlink_to(secret)
        key = "b/a.jpg"
    with pytest.raises(ImageRefused, match="link"):
        FolderStore(root).get(key, 100)


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "images").symlink_to(tmp_path / "disk")
    store = FolderStore(tmp_path / "images")
    store.put("a.jpg", b"image")
    assert store.get("a.jpg", 100) == b"image"


def test_a_link_in_circles_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "a.jpg")
    with pytest.raises(ImageRefused, match="link"):
        FolderStore(tmp_path).get("a.jpg", 100)


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a/b.jpg", b"image")
    with pytest.raises(ImageRefused, match="folder"):
        store.get("a", 100)
    with pytest.raises(ImageMissing):
        store.get("a/b.jpg/c", 100)


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        FolderStore(tmp_path).put("a.jpg", b"image")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_urls_choose_the_store(tmp_path: Path) -> None:
    assert isinstance(open_image_store(f"file://{tmp_path}"), FolderStore)
    assert isinstance(open_image_store("memory://x"), RemoteStore)
    with pytest.raises(ValueError, match="nonsense"):
        open_image_store("nonsense://x")
