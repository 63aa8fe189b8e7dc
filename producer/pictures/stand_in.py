"""A stand-in: what is handed in for a pocket in place of a photograph that cannot be, with the reason.

So that its check says at once that a person must look at this pocket, and why. A worker of any version finds no picture
in it: the pocket is `unusable`.
"""

from __future__ import annotations

from typing import Final

from producer.contract.reasons.stations import NO_REASON
from producer.contract.reasons.template import Reason

_BEGIN: Final = b"insert-inspection: no photograph\n"

_LONGEST: Final = 500
"""Characters of a reason that are read: anybody may hand one in."""


def stand_in(reason: Reason) -> bytes:
    """Return a file that stands in for a photograph, and says why there is none."""
    return _BEGIN + reason.encode(errors="backslashreplace")


def is_stand_in(data: bytes) -> bool:
    """Whether a file stands in for a photograph."""
    return data.startswith(_BEGIN)


def reason_in(data: bytes) -> str:
    """Return why there is no photograph, out of a stand-in, in one line."""
    text = data[len(_BEGIN) : len(_BEGIN) + 4 * _LONGEST].decode(errors="replace")[:_LONGEST]
    return "".join(letter if letter.isprintable() else " " for letter in text).strip() or NO_REASON()
