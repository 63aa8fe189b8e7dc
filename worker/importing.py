"""A folder of labelled photographs comes in as captures with reviews: the lab's way in and the line's are one.

A photograph's capture is named by its digest and by what it shows (its group), so importing a folder again adds
nothing, and a photograph that has moved to another class becomes a new review of the same capture.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

import db.captures
import db.reviews
import db.verdicts
from db.captures import Capture
from db.lives import IMPORTED
from db.schema import LABELS
from db.session import Database
from db.verdicts import Verdict
from producer.image_store import ImageStore
from worker.dataset import GROUP_COLUMNS, LABELS_FILE, DatasetError, scan
from worker.images import MAX_IMAGE_BYTES, UnusableImage, decode

STATION: Final = "import"
BY: Final = "insert-worker import"
"""Who says what a folder says, in the reviews."""

REASON: Final = "imported with a label"
"""Why nothing judged such a capture."""

TOGETHER: Final = 50
"""Captures in one transaction: a line that runs on the same database waits some tenths of a second for it."""

_SEEN_AS: Final = (224, 224)


@dataclass(frozen=True)
class Photo:
    """One file of a folder, with the review that it stands for."""

    path: Path
    label: str
    group: str | None
    """What it shows, the same text for photographs of the same insert or head; None where nothing says so."""


@dataclass
class Imported:
    """What came of a folder: how many captures are `new`, have another label than before (`changed`), or were `known`
    as they are, and the files that were not taken, each with the reason.
    """

    new: int = 0
    changed: int = 0
    known: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def photographs(
    folder: Path, *, meanings: Mapping[str, str], table: Path | None = None, group_column: str | None = None
) -> list[Photo]:
    """The labelled photographs in `folder`, which has a sub-folder for each class.

    A class is the label of the same name (`db.schema.LABELS`), or the one that `meanings` gives it. Groups come from
    the column `group_column` of the CSV file `table` (default: `labels.csv` in the folder, and a column named in
    `worker.dataset.GROUP_COLUMNS`). Raises `DatasetError`.
    """
    labelled = scan(folder, check_images=False)
    labels = _labels(labelled.classes, meanings)
    groups = _groups(folder, labelled.files, table, group_column)
    return [
        Photo(path, labels[labelled.classes[number]], groups.get(path))
        for path, number in zip(labelled.files, labelled.labels, strict=True)
    ]


def import_photographs(
    photos: Sequence[Photo],
    *,
    name: str,
    images: ImageStore,
    database: Database,
    at: datetime,
    progress: Callable[[int, int], object],
) -> Imported:
    """Store the images and record captures and reviews, for a labelled set of that `name`.

    May be repeated and interrupted. What a person said about a capture since it was imported stands, as long as the
    folder says what it said then. `progress` is told how many of how many files are done. Raises `OSError` when the
    image store cannot be written, `DatabaseUnavailable` when the database is away.
    """
    result = Imported()
    label_of: dict[UUID, str] = {}
    for start in range(0, len(photos), TOGETHER):
        captures: list[tuple[Capture, str]] = []
        for photo in photos[start : start + TOGETHER]:
            try:
                data = _read(photo)
            except UnusableImage as error:
                result.skipped.append((photo.path, str(error)))
                continue
            capture = _capture(photo, data, name, images, at)
            said = label_of.setdefault(capture.capture_id, photo.label)
            if said == photo.label:
                captures.append((capture, photo.label))
            else:
                result.skipped.append((photo.path, f"the same photograph is also there as {said}"))
        with database.transaction() as session:
            for capture, label in captures:
                _record(session, capture, label, at, result)
        progress(min(start + TOGETHER, len(photos)), len(photos))
    return result


def capture_id(image_sha256: str, group: str) -> UUID:
    """The id of an imported photograph: always the same, in the form of a UUIDv7 of the year 1970."""
    digest = hashlib.sha256(f"{image_sha256} {group}".encode()).digest()
    value = int.from_bytes(digest[:10], "big")  # RFC 9562: 48 bits of time, version, 12 bits, variant, 62 bits
    return UUID(int=0x7 << 76 | (value >> 62 & 0xFFF) << 64 | 0b10 << 62 | value & (1 << 62) - 1)


def _labels(classes: Sequence[str], meanings: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(set(meanings) - set(classes)):
        raise DatasetError(f"there is no class {', '.join(unknown)}; there are {', '.join(classes)}")
    labels = {name: meanings.get(name, name.lower()) for name in classes}
    wrong = {name: label for name, label in labels.items() if label not in LABELS}
    if wrong:
        raise DatasetError(
            f"the classes {', '.join(wrong)} are none of the labels {', '.join(LABELS)}: say what each means, like "
            f"--class {next(iter(wrong))}=damaged"
        )
    return labels


def _groups(root: Path, files: Sequence[Path], table: Path | None, column: str | None) -> dict[Path, str]:
    """The group of each file, empty where no table says so."""
    path = table or root / LABELS_FILE
    if not path.is_file():
        if table or column:
            raise DatasetError(f"there is no {path} to take the groups from")
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = list(reader.fieldnames or [])
            rows = [{name: text.strip() for name, text in row.items() if isinstance(text, str)} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} is not a CSV file in UTF-8: {error}") from error
    column = column or next((name for name in GROUP_COLUMNS if name in columns), None)
    if column is None and table is None:
        return {}
    if column not in columns or "file" not in columns:
        raise DatasetError(
            f"{path} has the columns {', '.join(columns)}; it needs 'file' and '{column or GROUP_COLUMNS[0]}'"
        )
    named: dict[str, str] = {}
    for row in rows:
        key = row.get("file", "").replace("\\", "/")
        if row.get("class") and "/" not in key:
            key = f"{row['class']}/{key}"
        if named.setdefault(key, row.get(column, "")) != row.get(column, ""):
            raise DatasetError(f"{path} puts {key} into two groups")
    bare = [file.name for file in files]
    groups = {}
    for file in files:
        full = f"{file.parent.name}/{file.name}"
        group = named.get(full) or (named.get(file.name) if bare.count(file.name) == 1 else None)
        if not group:
            raise DatasetError(f"{path} names no '{column}' for {full}; add it, or the grouped scores would leak")
        groups[file] = group
    return groups


def _read(photo: Photo) -> bytes:
    """A file's bytes. Raises `UnusableImage` for what could not be judged, unless that is what its label says."""
    try:
        if photo.path.stat().st_size > MAX_IMAGE_BYTES:
            raise UnusableImage(f"larger than {MAX_IMAGE_BYTES:,} bytes")
        data = photo.path.read_bytes()
    except OSError as error:
        raise UnusableImage(f"cannot be read: {error.strerror}") from error
    if photo.label != "unusable":
        decode(data, _SEEN_AS)
    return data


def _capture(photo: Photo, data: bytes, name: str, images: ImageStore, at: datetime) -> Capture:
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
        # A pocket of a head is what one insert after the other sits in; here, what a group of photographs shows.
        pocket=1 + int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") % (2**31 - 1),
        operation=STATION,
        check_id=identity,
        check_size=1,
        image=key,
        image_sha256=digest,
    )


def _record(session: Session, capture: Capture, label: str, at: datetime, result: Imported) -> None:
    new = db.captures.record(session, capture, at)
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
        db.verdicts.record(session, verdict)
    said = next((each.label for each in db.reviews.of_capture(session, capture.capture_id) if each.by == BY), None)
    if said != label:
        db.reviews.add(session, capture_id=capture.capture_id, label=label, by=BY, at=at)
    result.new += new
    result.changed += not new and said != label
    result.known += not new and said == label


def _name(text: str) -> str:
    """A folder's name as the name of a head: letters, digits, '.', '_' and '-', 64 of them at most."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).lstrip("._-")[:64] or "folder"
