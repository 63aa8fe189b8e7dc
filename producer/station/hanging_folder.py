"""Work on a folder that may hang: a share whose server is away keeps who looks at it waiting, whatever signal comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import structlog

log = structlog.get_logger()

SAY_AFTER: Final = 10.0
"""Seconds without any progress after which it is said."""

END_AFTER: Final = 5.0
"""Seconds without any progress after which who is told to stop waits no longer."""

_EVERY: Final = 0.5

_Item = TypeVar("_Item")


class LookProgress:
    """When a look at the folder last came on. All up to the end of the first is one."""

    def __init__(self) -> None:
        self._since: float | None = time.monotonic()

    @contextmanager
    def look(self) -> Iterator[None]:
        """Begin a look, which the block is; between two there is nothing to come on."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def through(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items of a look: with each it comes on."""
        for item in items:
            self._since = time.monotonic()
            yield item

    def silence(self) -> float:
        """For how many seconds the look has not come on; 0.0 while there is none."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since


def run_aside(
    work: Callable[[], None],
    progress: LookProgress,
    folder: Path,
    stop: threading.Event,
    *,
    say_after: float = SAY_AFTER,
    end_after: float = END_AFTER,
) -> None:
    """Do `work` on `folder` until it ends in a thread of its own, so that signals come through; say when it hangs.

    Where it hangs when `stop` is set, it is left behind: the kernel ends it with the process.

    Raises:
        Exception: what the work raised.
    """
    ended, errors = threading.Event(), list[Exception]()

    def worked() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  raised below
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=worked, name="folder", daemon=True).start()
    is_logged = False
    while not ended.wait(min(_EVERY, say_after, end_after)):
        silence = progress.silence()
        if is_logged != (silence >= say_after):
            is_logged = not is_logged
            if is_logged:
                log.error("the folder does not answer: waiting for it; is its server there?", folder=str(folder))
            else:
                log.warning("the folder answers again", folder=str(folder))
        if stop.is_set() and silence >= end_after:
            log.error("ended in the middle of a look: the folder does not answer", folder=str(folder))
            return
    if errors:
        raise errors[0]
