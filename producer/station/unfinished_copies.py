"""Photographs that are being copied into a watched folder, under a temporary name: `.2.jpg.Xa81Qz`, `tmpab12cd`.

Until the copy is finished, the newest photograph of its pocket is missing. So the photographs of its operation wait for
it, and a check cannot end as "go" on an earlier one. An abandoned copy is waited for no longer than any file. Then a
person must look at its pocket, or at the whole head if its name does not say which pocket it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from producer.station.settled_files import Look, Stillness

log = structlog.get_logger()


@dataclass(frozen=True)
class Copy:
    """A file in an operation's folder that may become the newest photograph of a pocket: of any, where that is None."""

    folder: Path
    name: str
    pocket: int | None
    look: Look

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / self.name


class UnfinishedCopies:
    """The copies in one watched folder; one that has not changed for some time is abandoned.

    Args:
        settled_after: seconds after which a note says that an unchanged copy is waited for.
        longest_wait: seconds for which a copy is waited for.
    """

    def __init__(self, settled_after: float, longest_wait: float):
        self._settled_after = settled_after
        self._longest_wait = longest_wait
        self._stillness = Stillness()
        self._growing: dict[Path, list[Copy]] = {}
        self._gone: set[Path] = set()
        self._left: dict[Path, list[Copy]] = {}
        self._stalled: set[Path] = set()
        self._said: set[Path] = set()

    def look(self, copies: Sequence[Copy], now: float) -> None:
        """Take note of the copies that are there at `now` of a clock that never steps."""
        self._stalled.clear()
        growing, left = defaultdict[Path, list[Copy]](list), defaultdict[Path, list[Copy]](list)
        for copy in copies:
            still = self._stillness.seconds(copy.path, copy.look, now)
            if still >= self._settled_after:
                self._stalled.add(copy.path)
            (left if still >= self._longest_wait else growing)[copy.folder].append(copy)
        paths = {copy.path for copy in copies}
        self._gone = {copy.folder for before in self._growing.values() for copy in before if copy.path not in paths}
        self._growing, self._left = growing, left
        self._stillness.keep(paths)
        self._said &= paths

    def hold(self, folder: Path) -> bool:
        """Whether the photographs in a folder must wait for a copy; one that does not change is reported once.

        They also wait for one more look after the copy has gone: a file that gets its own name while the folder is
        listed may be seen under neither name.
        """
        growing = self._growing.get(folder, ())
        for copy in growing:
            if copy.path in self._stalled - self._said:
                self._said.add(copy.path)
                log.warning("photographs wait for a copy that is not finished", folder=str(folder), file=copy.name)
        return bool(growing) or folder in self._gone

    def left(self) -> dict[Path, list[Copy]]:
        """The abandoned copies, by folder."""
        return self._left
