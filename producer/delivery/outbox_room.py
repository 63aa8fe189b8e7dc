"""How many captures may wait in an outbox: asked before one is stored, with a warning long before it is refused."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

import structlog

from producer.terminal.counts import counted

log = structlog.get_logger()

DEFAULT_LIMIT: Final = 100_000
"""Captures that may wait. Counted rather than weighed, because people plan in captures and the contract bounds an
event's size: at most some 2 kB, so 200 MB on disk, and weeks of a busy machine without any answer."""

WARN_AT: Final = (0.5, 0.8)
"""The shares of the limit from which on the log warns: long before anything is refused, and once more."""


class OutboxFull(OSError):
    """As many captures wait as may wait; nothing of the new one was stored, and it can be handed in again later."""


class OutboxRoom:
    """The room of the outbox at `path`, and the share of it up to which was warned."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._warned = 0.0

    def check(self, waiting: int, limit: int) -> None:
        """Refuse a capture more where as many wait as may.

        Raises:
            OutboxFull: the limit is reached.
        """
        if waiting >= limit:
            raise OutboxFull(
                errno.ENOSPC,
                f"the outbox is full, {counted(waiting, 'capture')} waiting for an answer "
                f"(INSERTS_OUTBOX_LIMIT={limit}); nothing of this one was stored. See that Redis and a worker run "
                "(`insert-station outbox` says why they wait) or raise the limit",
                str(self._path),
            )
        share = max((share for share in WARN_AT if waiting >= share * limit), default=0.0)
        if share > self._warned:
            log.warning("the outbox fills up", waiting=waiting, limit=limit, over=f"{share:.0%}")
        self._warned = share
