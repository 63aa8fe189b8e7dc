"""What keeps a connector from its work though no system is away: the line cannot be read, its own disk is full.

It stands in a file beside the delivery log, of one size and written in place: so it can be said too while the disk has
no room, and `connect status` reads it from another process.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.contract.connector_report import SinkState

FILE: Final = "troubles"
"""The file's name."""

EVERYWHERE: Final = ""
"""In place of a sink's name: a trouble that keeps every sink from being told."""

_SIZE: Final = 65_536
_LONGEST: Final = 400


class ConnectorProblems:
    """The problems of a connector that runs; safe to use from several threads."""

    def __init__(self, folder: Path):
        """There are none now; the file is made at its full size.

        Raises:
            OSError: the file cannot be made.
        """
        self._current: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()
        self._descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
        self._write()

    def close(self) -> None:
        """Close the file; what it says stays."""
        os.close(self._descriptor)

    def begins(self, who: str, problem: str) -> None:
        """The sink `who`, or `EVERYWHERE`, has this trouble."""
        with self._lock:
            since, known = self._current.get(who, (time.time(), None))
            if known != problem:
                self._current[who] = (since, problem[:_LONGEST])
                with suppress(OSError):  # the log has said it
                    self._write()

    def ends(self, who: str) -> None:
        """It has none any more."""
        with self._lock:
            if self._current.pop(who, None) is not None:
                with suppress(OSError):
                    self._write()

    def _write(self) -> None:
        text = json.dumps(self._current).encode()
        if len(text) > _SIZE:  # of very many sinks: what is everybody's trouble, or the first that fits
            who = EVERYWHERE if EVERYWHERE in self._current else min(self._current)
            text = json.dumps({who: self._current[who]}).encode()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, text.ljust(_SIZE))


def current_states(log: DeliveryLog) -> list[SinkState]:
    """How each sink is doing, by name; one that a trouble keeps from being told is not up.

    Raises:
        sqlite3.Error: the log cannot be read.
    """
    try:
        problems: dict[str, tuple[float, str]] = json.loads((log.path.parent / FILE).read_bytes())
    except (OSError, ValueError):  # none was ever written, or it is being written just now
        problems = {}
    return [
        replace(sink, up=False, since=trouble[0], problem=trouble[1])
        if (trouble := problems.get(EVERYWHERE) or problems.get(sink.name)) is not None
        else sink
        for sink in log.sinks()
    ]
