"""Failpoints: places where a test can make a process hang or die (`INSERTS_FAILPOINT=before-notify:exit`).

The promises of delivery are about crashes exactly between two steps, which no signal from outside hits. Without the
setting they do nothing.
"""

from __future__ import annotations

import os
import threading
from typing import Final

import structlog

log = structlog.get_logger()

PLACES: Final = ("judge", "forward", "before-commit", "before-notify", "before-ack", "change-before-notify", "retrain")
ACTIONS: Final = ("sleep", "exit")

EXIT_CODE: Final = 86
"""The exit code of a process that a failpoint ended."""

_armed: dict[str, str] = {}


def arm(text: str) -> None:
    """Set this process's failpoints: `PLACE:ACTION`, several with commas, or nothing for none.

    `judge=op-13:exit` acts only where the place says that it is about `op-13`.

    Raises:
        ValueError: there is no such place or action.
    """
    wanted = dict(part.strip().partition(":")[::2] for part in text.split(",") if part.strip())
    for place, action in wanted.items():
        if place.partition("=")[0] not in PLACES or action not in ACTIONS:
            raise ValueError(f"no failpoint {place}:{action}; there are {', '.join(PLACES)} with {', '.join(ACTIONS)}")
    _armed.clear()
    _armed.update(wanted)


def failpoint(place: str, about: str = "", **names: object) -> None:
    """Hang here for ever (`sleep`) or end the process at once (`exit`) where that was asked for; `names` are logged."""
    if not _armed:
        return
    action = _armed.get(place) or _armed.get(f"{place}={about}")
    if action is None:
        return
    log.warning("failpoint", place=place, action=action, **{name: str(value) for name, value in names.items()})
    if action == "exit":
        os._exit(EXIT_CODE)
    threading.Event().wait()
