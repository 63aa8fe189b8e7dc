"""How many pockets each head is known to have, the most of all checks: for one of which nobody says so.

The photographs that come last are the ones that are missing as yet. Where only the files' names tell how many pockets
a head has, what is left out at the end shows by the checks before: by this station's own, which may not have reached
the line, and by all that the line knows of (`db.line.head_size`), which its answer tells.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Final

from producer.contract.reasons.stations import FEWER_THAN_BEFORE
from producer.delivery.outbox import Outbox
from producer.station.head_check import CheckResult
from producer.station.head_folder import HeadFolder, HeadProblem

_NOTE: Final = "pockets:"
"""What the names of the notes begin with."""


def as_large_as_before(shown: HeadFolder, head: str, outbox: Outbox) -> HeadFolder:
    """What a folder shows of a head, and as a problem the pockets at its end that an earlier check had."""
    before = _before(head, outbox)
    if before <= shown.check_size:
        return shown
    return replace(shown, check_size=before, problems=[*shown.problems, _lacking(shown.check_size, before, head)])


def larger_on_the_line(result: CheckResult, head: str) -> list[HeadProblem]:
    """The pockets that the line knows the head to have, and that a check that counted its photographs left out."""
    if result.answer is None or result.answer.size <= result.check_size:
        return []
    return [_lacking(result.check_size, result.answer.size, head)]


def _lacking(pockets: int, before: int, head: str) -> HeadProblem:
    lacking = range(pockets + 1, before + 1)
    return HeadProblem(FEWER_THAN_BEFORE(pockets=lacking, head=head, count=before), pockets=lacking)


def remember(pockets: int, head: str, outbox: Outbox) -> None:
    """Note how many pockets a head has, if that is more than before."""
    if pockets > _before(head, outbox):
        outbox.keep_note(_name(head), str(pockets))


def _before(head: str, outbox: Outbox) -> int:
    return int(outbox.note(_name(head)) or 0)


def _name(head: str) -> str:
    return f"{_NOTE}{unicodedata.normalize('NFC', head)}"
