"""Which operation each photograph was handed in for: one of the past says nothing of another operation.

A folder that was not emptied, or a program that copies yesterday's files once more, shows inserts as they were. The
line finds such a photograph by its bytes, whoever sends it; a station that remembers it says so before.
"""

from __future__ import annotations

import hashlib
import json
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from producer.contract.event import CaptureEvent
from producer.delivery.metrics import made_at
from producer.delivery.outbox import Outbox
from producer.station.head_folder import HeadFolder, Problem
from producer.station.submitted_files import KEEP_NOTES

Place = tuple[str, str, str]
"""A machine, a head and an operation."""

_NOTE: Final = "handed in:"
"""What the names of the notes begin with."""


def without_known(shown: HeadFolder, folder: Path, place: Place, outbox: Outbox) -> HeadFolder:
    """What `folder` shows of a head after an operation, without what was handed in for another one: a problem each.

    Raises:
        ValueError: all of it was: the folder is that of another operation.
    """
    known = KnownPhotographs(outbox, time.time())
    before = {photo.pocket: said for photo in shown.photographs if (said := known.of_another(photo.image, place))}
    if not before:
        return shown
    newest = before[max(before, key=lambda pocket: before[pocket][1])]
    if len(before) == len(shown.photographs):
        raise ValueError(
            f"the photographs in {folder} are those of {_in_words(place, *newest)}: "
            f"photograph the head anew after operation {place[2]}"
        )
    problems = [
        Problem(
            f"{photo.file} is the photograph of {_in_words(place, *before[photo.pocket])}: it was not handed in again, "
            f"photograph pocket {photo.pocket} anew",
            [photo.file or ""],
            [photo.pocket],
        )
        for photo in shown.photographs
        if photo.pocket in before
    ]
    still = [photo for photo in shown.photographs if photo.pocket not in before]
    return replace(shown, photographs=still, problems=[*shown.problems, *problems])


def remember(event: CaptureEvent, outbox: Outbox) -> None:
    """Note which operation a photograph was handed in for. Where a crash takes the note, the line finds it yet."""
    place = json.dumps([event.machine, event.head, event.operation])
    outbox.keep_note(f"{_NOTE}{event.image_sha256}", f"{event.check_id} {place}")


class KnownPhotographs:
    """What a station's outbox remembers of the photographs that `check` handed in."""

    def __init__(self, outbox: Outbox, now: float):
        """Read it; what is older than `KEEP_NOTES` before `now`, in seconds since the epoch, is forgotten."""
        notes = outbox.notes(_NOTE)
        ids = {name: UUID(value.partition(" ")[0]) for name, value in notes.items()}
        outbox.forget_notes([name for name, check in ids.items() if made_at(check) < now - KEEP_NOTES])
        self._notes = notes

    def of_another(self, image: bytes, place: Place) -> tuple[Place, float] | None:
        """The other place that a photograph was handed in for, and when (since the epoch); None where there is none."""
        noted = self._notes.get(f"{_NOTE}{hashlib.sha256(image).hexdigest()}")
        if noted is None or not image:
            return None
        check, _, text = noted.partition(" ")
        machine, head, operation = json.loads(text)
        before = machine, head, operation
        alike = [*map(_normal, before)] == [*map(_normal, place)]
        return None if alike else (before, made_at(UUID(check)))


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _in_words(place: Place, before: Place, at: float) -> str:
    machine, head, operation = before
    said = f"operation {operation}"
    if head != place[1] or machine != place[0]:
        said += f" on head {head}" + (f" of machine {machine}" if machine != place[0] else "")
    return f"{said}, handed in at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
