"""Imports a folder of labelled photographs as captures with reviews, so that both are learned from in one way.

A photograph's capture id is derived from its digest and from what it shows (its group), so importing a folder again
adds nothing, and a photograph that was moved to another class becomes a new review of the same capture.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

import db.line.captures
from db.engine.database import Database
from db.learning import reviews
from db.line import verdicts
from db.line.captures import Capture
from db.line.verdicts import Verdict
from db.people import audit
from producer.contract.names import IMPORTED
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.runtime.arrays import UInt8Array
from producer.storage.store import ImageStore
from worker.dataset.class_names import Meanings, known_words
from worker.dataset.duplicates import ImageUnreadable
from worker.dataset.labelled_folder import class_names, scan
from worker.images.decoding import UnusableImage, decode

STATION: Final = "import"
BY: Final = "insert-worker import"
"""The author of the reviews of an import."""

REASON: Final = "imported with a label"
"""Why an imported capture has no model's verdict."""

TOGETHER: Final = 50
"""Captures in one transaction: a running line on the same database waits some tenths of a second for it."""

_SEEN_AS: Final = (224, 224)


@dataclass(frozen=True)
class LabelledPhoto:
    """One file of a folder, with the label that its review will have."""

    path: Path
    label: str
    group: str | None
    """Its group, the same for photographs of the same insert or head; None where it is unknown."""


@dataclass(frozen=True)
class Photographs:
    """The photographs of a labelled folder, the files that are skipped, each with the reason, and notes about what was
    not understood, or was inferred.
    """

    photos: tuple[LabelledPhoto, ...]
    skipped: tuple[tuple[Path, str], ...]
    notes: tuple[str, ...]


@dataclass
class Imported:
    """How many captures of a folder are `new`, have another label than before (`changed`), or are `known`."""

    new: int = 0
    changed: int = 0
    known: int = 0


def photographs(
    folder: Path,
    *,
    meaning: Callable[[Sequence[str]], Meanings] = known_words,
    table: Path | None = None,
    group_column: str | None = None,
    groups_required: bool = True,
    progress: Callable[[int, int], object] = lambda done, total: None,  # noqa: ARG005
) -> Photographs:
    """Return the labelled photographs in `folder`, which has a sub-folder for each class; all of them are decoded.

    `meaning` maps the classes to labels (default: by their names). Groups come from the column `group_column` of the
    CSV file `table`, as in `worker.dataset.labelled_folder.scan`, which is an error where there is none, unless they
    are not `groups_required`. `progress` is called with how many of how many files are examined.

    Raises:
        DatasetError: the folder is not a usable labelled set.
    """
    meant = meaning(class_names(folder))
    unusable = [name for name, label in meant.labels.items() if label == "unusable"]
    labelled = scan(
        folder,
        group_column,
        table=table,
        groups_required=groups_required,
        look=_seen_by_the_line,
        unchecked=unusable,
        progress=progress,
    )
    groups = labelled.group_names or [None] * len(labelled.files)
    photos = tuple(
        LabelledPhoto(path, meant.labels[labelled.classes[number]], group)
        for path, number, group in zip(labelled.files, labelled.labels, groups, strict=True)
    )
    return Photographs(photos, labelled.skipped, (*meant.notes, *labelled.notes))


def import_photographs(
    photos: Sequence[LabelledPhoto],
    *,
    name: str,
    images: ImageStore,
    database: Database,
    at: datetime,
    progress: Callable[[int, int], object],
    signed: str | None = None,
) -> Imported:
    """Store the images and record captures and reviews, for a labelled set of that `name`.

    Each transaction that labels something has a row in the audit, by who is `signed`. May be repeated and interrupted.
    A review that a person gave since an import stands, as long as the folder's label is the same as at that import.
    `progress` is called with how many of how many files are done.

    Raises:
        OSError: a file cannot be read or the image store cannot be written.
        DatabaseUnavailable: the database is away.
    """
    result = Imported()
    for start in range(0, len(photos), TOGETHER):
        together = photos[start : start + TOGETHER]
        captures = [(_capture(photo, photo.path.read_bytes(), name, images, at), photo.label) for photo in together]
        with database.transaction() as session:
            labelled = [capture for capture, label in captures if _record(session, capture, label, at, result)]
            if labelled:
                ids = [str(capture.capture_id) for capture in labelled]
                detail: dict[str, Any] = {"count": len(ids), "captures": ids}
                audit.write(session, at=at, by=BY, signed=signed, action="labels imported", subject=name, **detail)
        progress(min(start + TOGETHER, len(photos)), len(photos))
    return result


def capture_id(image_sha256: str, group: str) -> UUID:
    """Return the id of an imported photograph: always the same, in the form of a UUIDv7 of the year 1970."""
    digest = hashlib.sha256(f"{image_sha256} {group}".encode()).digest()
    value = int.from_bytes(digest[:10], "big")  # RFC 9562: 48 bits of time, version, 12 bits, variant, 62 bits
    return UUID(int=0x7 << 76 | (value >> 62 & 0xFFF) << 64 | 0b10 << 62 | value & (1 << 62) - 1)


def _seen_by_the_line(path: Path) -> UInt8Array:
    """A file's pixels as the line reads them. Raises `ImageUnreadable` for what the line would call unusable."""
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise ImageUnreadable(f"larger than {MAX_IMAGE_BYTES:,} bytes")
        return decode(path.read_bytes(), _SEEN_AS)
    except OSError as error:
        raise ImageUnreadable(f"cannot be read: {error.strerror}") from error
    except UnusableImage as error:
        raise ImageUnreadable(str(error)) from error


def _capture(photo: LabelledPhoto, data: bytes, name: str, images: ImageStore, at: datetime) -> Capture:
    """Put a photograph into the image store, and describe it as a capture."""
    digest = hashlib.sha256(data).hexdigest()
    suffix = photo.path.suffix.lower() if re.fullmatch(r"\.[a-z0-9]{1,8}", photo.path.suffix.lower()) else ""
    key = f"{IMPORTED}/{digest[:2]}/{digest}{suffix}"
    images.put(key, data)
    group = photo.group or digest
    identity = capture_id(digest, group)
    taken = datetime.fromtimestamp(photo.path.stat().st_mtime, UTC)
    return Capture(
        capture_id=identity,
        captured_at=min(taken, at),
        station=STATION,
        machine=IMPORTED,
        head=_name(name),
        # A pocket of a head has one insert after the other; here it stands for a group of photographs.
        pocket=1 + int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") % (2**31 - 1),
        operation=STATION,
        check_id=identity,
        check_size=1,
        image=key,
        image_sha256=digest,
    )


def _record(session: Session, capture: Capture, label: str, at: datetime, result: Imported) -> bool:
    """Record a photograph with its label, and return whether that label is new."""
    new = db.line.captures.record(session, capture, at)
    if new:
        # Without a verdict its check would stay pending for ever.
        verdict = Verdict(
            capture_id=capture.capture_id,
            model_id=None,
            outcome="unsure",
            label=None,
            reason=REASON,
            decision=None,
            judged_at=at,
        )
        verdicts.record(session, verdict)
    label_before = next(
        (review.label for review in reviews.of_capture(session, capture.capture_id) if review.by == BY), None
    )
    if label_before != label:
        reviews.add(session, capture_id=capture.capture_id, label=label, by=BY, at=at)
    result.new += new
    result.changed += not new and label_before != label
    result.known += not new and label_before == label
    return label_before != label


def _name(text: str) -> str:
    """A folder's name as the name of a head: letters, digits, '.', '_' and '-', 64 of them at most."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).lstrip("._-")[:64] or "folder"
