"""A post-operation check: a whole head handed in, its answer waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from producer.answers import CheckAnswer
from producer.event import CaptureEvent, new_id
from producer.station import Received, Station

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True)
class Photograph:
    """One insert's photograph, with what is known of the edge that it shows."""

    pocket: int
    image: bytes
    operations_on_edge: int | None = None


@dataclass(frozen=True)
class CheckResult:
    """What came of a check.

    ``submitted`` holds each event with the time (seconds of `time.monotonic`) just before it was handed in;
    ``answers`` holds what came back for each capture; ``answer`` is None when the check did not finish in time.
    """

    check_id: UUID
    submitted: list[tuple[CaptureEvent, float]]
    answers: dict[UUID, Received]
    answer: CheckAnswer | None

    @property
    def exit_code(self) -> int:
        """0 go, 1 replace, 2 a person must look or the check did not finish."""
        return 2 if self.answer is None else {"go": 0, "replace": 1, "review": 2}[self.answer.state]


def photographs_in(folder: Path) -> list[Photograph]:
    """The photographs of a head in ``folder``, each file named by its pocket's number: ``1.jpg``, ``02.png``.

    Raises:
        ValueError: there are none, a name is no pocket's number, or two files show the same pocket.
    """
    found: dict[int, Path] = {}
    files = folder.iterdir() if folder.is_dir() else []
    for path in sorted(file for file in files if file.suffix.lower() in IMAGE_SUFFIXES):
        if not (path.stem.isascii() and path.stem.isdigit()):
            raise ValueError(f"{path} is not named by its pocket's number, like 7{path.suffix}")
        pocket = int(path.stem)
        if pocket in found:
            raise ValueError(f"{path} and {found[pocket]} both show pocket {pocket}")
        found[pocket] = path
    if not found:
        raise ValueError(f"no photographs in {folder}: they are named by pocket, 1.jpg, 2.jpg and so on")
    return [Photograph(pocket, path.read_bytes()) for pocket, path in sorted(found.items())]


def run_check(
    station: Station,
    photographs: Sequence[Photograph],
    *,
    machine: str,
    head: str,
    operation: str,
    timeout: float,
    on_submit: Callable[[CaptureEvent], None] | None = None,
) -> CheckResult:
    """Hand in one photograph of every pocket and wait at most ``timeout`` seconds for the check's answer."""
    check_id = new_id()
    submitted = []
    for photograph in photographs:
        started = time.monotonic()
        event = station.submit(
            photograph.image,
            machine=machine,
            head=head,
            pocket=photograph.pocket,
            operation=operation,
            check_id=check_id,
            check_size=len(photographs),
            operations_on_edge=photograph.operations_on_edge,
        )
        submitted.append((event, started))
        if on_submit is not None:
            on_submit(event)
    captures = [event.capture_id for event, _ in submitted]
    answers = station.wait_for([check_id, *captures], timeout)
    finished = answers.pop(check_id, None)
    answer = finished.answer if finished is not None and isinstance(finished.answer, CheckAnswer) else None
    return CheckResult(check_id, submitted, answers, answer)
