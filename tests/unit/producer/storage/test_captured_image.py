from __future__ import annotations

from pathlib import Path

import pytest

from producer.storage.captured_image import ImageOverwritten, captured_image
from producer.storage.folder import FolderStore
from producer.storage.store import ImageMissing


def test_only_the_image_that_was_captured_is_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put("st-1/a.jpg", b"image")
    assert captured_image(store, "st-1/a.jpg", digest, 100) == b"image"
    (tmp_path / "st-1/a.jpg").write_bytes(b"another")
    with pytest.raises(ImageOverwritten, match="not the one that was captured"):
        captured_image(store, "st-1/a.jpg", digest, 100)
    with pytest.raises(ImageMissing):
        captured_image(store, "st-1/b.jpg", digest, 100)
