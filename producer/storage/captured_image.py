"""A capture's image: what lies under its key, and by its digest still is what was captured."""

from __future__ import annotations

import hashlib

from producer.contract.reasons.image_files import ANOTHER_IMAGE
from producer.storage.store import ImageRefused, ImageStore


class ImageOverwritten(ImageRefused):
    """Another image lies under the key by now: whoever sees it must not take it for the one that was judged."""


def captured_image(images: ImageStore, key: str, sha256: str, limit: int) -> bytes:
    """Return the image of a capture whose digest is `sha256`, of at most `limit` bytes.

    Raises:
        ImageMissing: the store has it no more.
        ImageOverwritten: it is another one.
        ImageRefused: it is too large, or reached through a link.
        OSError: the store cannot be read.
    """
    data = images.get(key, limit)
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise ImageOverwritten(ANOTHER_IMAGE(key=key, digest=digest))
    return data
