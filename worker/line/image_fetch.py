"""Fetches a capture's image from the image store, or decides what follows if the store does not have it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Final

from producer.contract.event import CaptureEvent
from producer.contract.reasons import faults as why
from producer.contract.reasons.template import Reason
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.storage.opening import absent_folder, check_store
from producer.storage.store import ImageMissing, ImageRefused, ImageStore
from worker.line.faults import CaptureFault, fault_of
from worker.runtime.waiting import Service, retry_while_unavailable


@dataclass(frozen=True)
class LoadedImage:
    """The bytes that the event means."""

    data: bytes


@dataclass(frozen=True)
class RefusedImage:
    """The store refuses it, for example for its size: the image is `unusable`, with this reason."""

    reason: Reason


@dataclass(frozen=True)
class AbsentImage:
    """The store does not have it, cannot read it, or has another one: a fault, unless it may still come."""

    fault: CaptureFault
    may_come: bool


class _StoreAway(Exception):
    """Not this image: the store as a whole cannot be read."""


class _Unreadable(Exception):
    """This image alone cannot be read."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def _is_away(error: BaseException) -> bool:
    return isinstance(error, _StoreAway)


IMAGE_STORE: Final = Service("the image store", _is_away)


def fetch(images: ImageStore, event: CaptureEvent) -> LoadedImage | RefusedImage | AbsentImage:
    """The image of the event.

    A store that is away is waited for like a database. A store that answers for other images but not for this one is
    not waited for: stores may lag behind events, and a disk may fail at one file.

    Raises:
        worker.runtime.waiting.ShuttingDown: the process ends while the store is away.
    """
    try:
        data = retry_while_unavailable(partial(_read, images, event.image), IMAGE_STORE)
    except ImageMissing as error:
        return AbsentImage(fault_of(event, "image_missing", error.reason), may_come=True)
    except _Unreadable as error:
        return AbsentImage(fault_of(event, "image_unreadable", error.reason), may_come=True)
    except ImageRefused as error:
        return RefusedImage(error.reason)
    digest = hashlib.sha256(data).hexdigest()
    if digest == event.image_sha256:
        return LoadedImage(data)
    detail = why.OTHER_DIGEST(key=event.image, digest=digest, wanted=event.image_sha256)
    return AbsentImage(fault_of(event, "digest_mismatch", detail), may_come=False)


def wait_for_store(images: ImageStore) -> None:
    """Return when the store answers.

    Raises:
        worker.runtime.waiting.ShuttingDown: the process ends before that.
    """
    retry_while_unavailable(partial(_check, images), IMAGE_STORE)


def _read(images: ImageStore, key: str) -> bytes:
    try:
        return images.get(key, MAX_IMAGE_BYTES)
    except ImageMissing:
        # A station made the folder before it told of a photograph in it.
        if (folder := absent_folder(images)) is None:
            raise
        raise _StoreAway(
            f"there is no folder {folder}: is its share mounted, is INSERTS_IMAGES what the stations have?"
        ) from None
    except OSError:
        # A disk that fails at one file, or a file that the worker may not read, must not be taken for a store that is
        # away: that would be waited for for ever.
        _check(images)
    try:
        return images.get(key, MAX_IMAGE_BYTES)  # once more: the store may have come back just before it answered
    except OSError as error:
        raise _Unreadable(why.UNREADABLE(key=key, problem=str(error))) from error


def _check(images: ImageStore) -> None:
    try:
        check_store(images)
    except OSError as error:
        raise _StoreAway(str(error)) from error
