"""Which check each photograph was handed in for: one of the past says nothing of another operation, or run of it.

A folder that was not emptied, a trigger that was missed, or a program that copies yesterday's files once more, shows
inserts as they were. The line finds such a photograph by its bytes, whoever sends it; a station that remembers it says
so before.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import unicodedata
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from producer.contract.event import CaptureEvent
from producer.contract.places import OperationPlace
from producer.contract.reasons import checks
from producer.contract.reasons import stations as why
from producer.contract.reasons.template import Reason
from producer.delivery.metrics import made_at
from producer.delivery.outbox import Outbox
from producer.station.head_folder import HeadFolder, HeadProblem
from producer.station.submitted_files import KEEP_NOTES

log = structlog.get_logger()

_NOTE: Final = "handed in:"
"""What the names of the notes begin with."""


def without_known(
    shown: HeadFolder, folder: Path, place: OperationPlace, check_id: UUID | None, outbox: Outbox
) -> HeadFolder:
    """What `folder` shows of a head after an operation, without what was handed in for another one: a problem each.

    Raises:
        ValueError: all of it was: the folder is that of another operation; or that of an earlier check, and no
            `check_id` says which one is meant.
    """
    forget_old(outbox, time.time())
    if check_id is None and (known := _all_of_earlier_checks(shown, place, outbox)) is not None:
        at = datetime.fromtimestamp(made_at(known), UTC)
        raise ValueError(
            f"no photograph in {folder} is new: they were handed in at {at:%Y-%m-%d %H:%M} UTC. Photograph the head "
            f"again; or, for the answer of that check, repeat it with --check-id {known}"
        )
    before = {
        photo.pocket: earlier for photo in shown.photographs if (earlier := _of_another(photo.image, place, outbox))
    }
    if not before:
        return shown
    newest = before[max(before, key=lambda pocket: before[pocket][1])]
    if len(before) == len(shown.photographs):
        raise ValueError(
            f"the photographs in {folder} are those of {_in_words(place, *newest)}: "
            f"photograph the head again after operation {place[2]}{_if_mistyped(place, newest[0])}"
        )
    problems = [
        HeadProblem(
            why.HANDED_IN_BEFORE(
                file=photo.file,
                before=_of_what(place, before[photo.pocket][0]),
                at=datetime.fromtimestamp(before[photo.pocket][1], UTC),
                pocket=photo.pocket,
            ),
            [photo.file or ""],
            [photo.pocket],
        )
        for photo in shown.photographs
        if photo.pocket in before
    ]
    still = [photo for photo in shown.photographs if photo.pocket not in before]
    return replace(shown, photographs=still, problems=[*shown.problems, *problems])


def remember(event: CaptureEvent, outbox: Outbox) -> None:
    """Note which operation a photograph was first handed in for. Where a crash takes the note, the line finds it yet.

    The first counts, as on the line.
    """
    name = f"{_NOTE}{event.image_sha256}"
    if outbox.note(name) is None:
        outbox.keep_note(name, f"{event.check_id} {json.dumps([event.machine, event.head, event.operation])}")


def forget_old(outbox: Outbox, now: float) -> None:
    """Forget what was noted more than `KEEP_NOTES` before `now`, in seconds since the epoch."""
    ids = {name: UUID(value.partition(" ")[0]) for name, value in outbox.notes(_NOTE).items()}
    outbox.forget_notes([name for name, check in ids.items() if made_at(check) < now - KEEP_NOTES])


class SentBefore:
    """Photographs of a watched folder that were handed in before for another operation: said with how many."""

    def __init__(self, outbox: Outbox):
        self._outbox = outbox
        self._before: dict[OperationPlace, list[tuple[OperationPlace, float]]] = defaultdict(list)

    def take(self, event: CaptureEvent, image: bytes) -> None:
        """Take note of a photograph that was handed in just now."""
        place = event.machine, event.head, event.operation
        if (before := _of_another(image, place, self._outbox)) is not None:
            self._before[place].append(before)
        remember(event, self._outbox)

    def forget_old(self, now: float) -> None:
        """Forget what need not be remembered any more at `now`, in seconds since the epoch."""
        with suppress(sqlite3.Error):  # a full disk passes; it is tried again
            forget_old(self._outbox, now)

    def warn(self) -> None:
        """Say it of those that were taken since: once for each operation."""
        for place, before in self._before.items():
            log.warning(
                "photographs came that were handed in before: they do not show this operation, photograph again",
                machine=place[0],
                head=place[1],
                operation=place[2],
                photographs=len(before),
                before=_in_words(place, *max(before, key=lambda earlier: earlier[1])),
            )
        self._before.clear()


def _all_of_earlier_checks(shown: HeadFolder, place: OperationPlace, outbox: Outbox) -> UUID | None:
    """The newest check of this place that had one of these photographs; None where one of them is of no such check."""
    firsts = [_first(photo.image, outbox) for photo in shown.photographs]
    ids = [first[0] for first in firsts if first is not None and _is_alike(first[1], place)]
    return max(ids) if ids and len(ids) == len(firsts) else None


def _of_another(image: bytes, place: OperationPlace, outbox: Outbox) -> tuple[OperationPlace, float] | None:
    """The other place that a photograph was first handed in for, and when (since the epoch); None: there is none."""
    first = _first(image, outbox)
    return None if first is None or _is_alike(first[1], place) else (first[1], made_at(first[0]))


def _first(image: bytes, outbox: Outbox) -> tuple[UUID, OperationPlace] | None:
    """The check and the place that a photograph was first handed in for; None where that is not known."""
    noted = outbox.note(f"{_NOTE}{hashlib.sha256(image).hexdigest()}")
    if noted is None or not image:
        return None
    check, _, text = noted.partition(" ")
    machine, head, operation = json.loads(text)
    return UUID(check), (machine, head, operation)


def _is_alike(one: OperationPlace, other: OperationPlace) -> bool:
    return [*map(_normal, one)] == [*map(_normal, other)]


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _if_mistyped(place: OperationPlace, before: OperationPlace) -> str:
    """What to do where a name was mistyped, as it seems where the operation is the same one."""
    if _normal(before[2]) != _normal(place[2]):
        return ""
    other = f"head {before[1]}" + (f" of machine {before[0]}" if before[0] != place[0] else "")
    return (
        f". Was {other} mistyped? The line keeps these photographs as its own: check that head again too, and list the "
        "heads (INSERTS_HEADS), so that a mistyped one is refused"
    )


def _of_what(place: OperationPlace, before: OperationPlace) -> Reason:
    machine, head, operation = before
    if machine != place[0]:
        other = why.HEAD_OF_MACHINE(head=head, machine=machine)
    elif head != place[1]:
        other = checks.HEAD(head=head)
    else:
        return checks.OPERATION(operation=operation)
    return checks.OPERATION_ELSEWHERE(operation=operation, place=other)


def _in_words(place: OperationPlace, before: OperationPlace, at: float) -> str:
    return f"{_of_what(place, before)}, handed in at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
