"""A capture's photograph out of the image store, or what follows from what the store has in its place."""

from __future__ import annotations

import hashlib

from producer.contract.event import CaptureEvent
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.storage.opening import check_store
from producer.storage.store import ImageMissing, ImageRefused, ImageStore
from worker.line.faults import Obstacle
from worker.models.line_model import Judgement
from worker.runtime.waiting import patiently


class ImageNotYet(LookupError):
    """The image has not appeared in the store yet, or cannot be read yet."""


class _StoreAway(Exception):
    """Not this image: the store as a whole cannot be read."""


class _Unreadable(Exception):
    """This image alone cannot be read."""


def fetch(images: ImageStore, event: CaptureEvent, may_wait: bool) -> bytes | Judgement | Obstacle | ImageNotYet:
    """The bytes of the event's image, or what follows from what the store has in their place.

    A store that is away is waited for like a database. One that answers for other images, and not for this one, is
    asked again by whoever gets an `ImageNotYet`, as long as it `may_wait`, and holds nobody up.

    Raises:
        worker.runtime.waiting.Stopping: the worker ends while the store is away.
    """
    try:
        data = patiently(lambda: _read(images, event.image), "the image store", _is_away)
    except ImageMissing as error:
        return ImageNotYet(str(error)) if may_wait else Obstacle("image_missing", str(error))
    except _Unreadable as error:
        return ImageNotYet(str(error)) if may_wait else Obstacle("image_unreadable", str(error))
    except ImageRefused as error:
        return Judgement("unusable", reason=str(error))
    digest = hashlib.sha256(data).hexdigest()
    if digest == event.image_sha256:
        return data
    return Obstacle(
        "digest_mismatch", f"the image under {event.image!r} has SHA-256 {digest}, not {event.image_sha256}"
    )


def wait_for_store(images: ImageStore) -> None:
    """Return when the store answers.

    Raises:
        worker.runtime.waiting.Stopping: the worker ends before that.
    """
    patiently(lambda: _answers(images), "the image store", _is_away)


def _read(images: ImageStore, key: str) -> bytes:
    try:
        return images.get(key, MAX_IMAGE_BYTES)
    except OSError:
        # A disk that fails at one file, or a file that the worker may not read, must not be taken for a store that is
        # away: whoever waited for it would wait for ever.
        _answers(images)
    try:
        return images.get(key, MAX_IMAGE_BYTES)  # once more: the store may have come back just before it answered
    except OSError as error:
        raise _Unreadable(f"the image {key!r} cannot be read: {error}") from error


def _answers(images: ImageStore) -> None:
    try:
        check_store(images)
    except OSError as error:
        raise _StoreAway(str(error)) from error


def _is_away(error: BaseException) -> bool:
    return isinstance(error, _StoreAway)
