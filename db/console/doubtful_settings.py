"""What can be read of a console's settings, and is hardly meant so: it says so when it starts, and goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from db.console.settings import ConsoleSettings
from producer.storage.opening import folder_of

_PREFIX: Final = "INSERTS_CONSOLE_"


def doubts(settings: ConsoleSettings) -> Iterator[str]:
    """A sentence for each setting that does nothing, or leads nowhere."""
    known = {f"INSERTS_{name}".upper() for name in type(settings).model_fields}
    for name in sorted(os.environ):
        if name.upper().startswith(_PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, 1, cutoff=0.9)
            yield f"{name} is no setting, and does nothing{f': {near[0]}?' if near else ''}"
    folder = None if settings.images is None else folder_of(settings.images_root)
    if folder is not None and not folder.is_dir():
        yield f"no folder is at {folder} (INSERTS_IMAGES): no photograph can be shown until it is there"
    if not _is_zone(zone := os.environ.get("TZ", "")):
        yield f"TZ={zone} is no time zone that this computer knows: moments are those of UTC"


def _is_zone(name: str) -> bool:
    """Whether the C library reads `TZ` as it is meant: what it does not know it takes for UTC.

    A rule (`CET-1CEST`) or a file is left to it.
    """
    name = name.removeprefix(":")
    if name in ("", "UTC") or name.startswith("/") or any(character.isdigit() for character in name):
        return True
    now = datetime.now(UTC)
    try:
        return now.astimezone(ZoneInfo(name)).utcoffset() == now.astimezone().utcoffset()
    except (OSError, ValueError, LookupError):
        return False
