"""What changed, for all open pages at once: one look at the database, however many there are, and none at rest.

News are ids only: a page that gets one fetches that piece of itself again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from starlette.concurrency import run_in_threadpool

from db.engine.database import Database, DatabaseUnavailable
from db.line import captures_ahead
from db.queries import line_changes
from db.queries.line_changes import Marks

EVERY_SECONDS: Final = 0.5
"""How often the database is read while a page listens."""

LOOK_SECONDS: Final = 3.0
"""After this time a look counts as failed: the silence of a hanging database must not be taken for no news."""

_MOST_WAITING: Final = 200
"""How many news wait for one page at most; if there are more, the page hears that anything may have changed."""

FAULTS: Final = "faults"
"""The id of the list of what cannot be judged: open faults, and stations whose photographs are unusable."""

AWAY: Final = "away"
"""In place of an id: the database does not answer, so it is unknown what has changed."""

BACK: Final = "back"
"""In place of an id: anything may have changed. It answers for the first time or again, or all heads are meant."""

_log = logging.getLogger(__name__)


def head_id(machine: str, head: str) -> str:
    """The id of a head in pages and news: names may have any characters, this has sixteen digits."""
    return "h" + hashlib.sha256(f"{machine}\n{head}".encode()).hexdigest()[:16]


class Feed:
    """Looks at the database while at least one page listens, and tells all of them what changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[asyncio.Queue[str]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._news = 0
        self.away = False
        """Whether the last look failed."""

    @property
    def news(self) -> int | None:
        """A number that changes with each news; None while no page listens, because there is no news then."""
        return None if self._looking is None else self._news

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[str]]:
        """The ids of what changes from now on, for one page."""
        queue: asyncio.Queue[str] = asyncio.Queue(_MOST_WAITING)
        self._listeners.add(queue)
        if self._looking is None:
            self._news += 1
            self._looking = asyncio.create_task(self._look())
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._looking is not None:
                self._looking.cancel()
                self._looking = None
                self.away = False

    def tell_all(self) -> None:
        """Tell all pages that anything may have changed; while the database is away they hear of it later anyway."""
        if not self.away:
            self._tell({BACK})

    async def _look(self) -> None:
        known: Marks | None = None
        while True:
            try:
                marks = await self._in_time(known)
            except DatabaseUnavailable:
                self._fails()
            except Exception:  # noqa: BLE001 - the next look may succeed, and pages that wait would never know
                _log.exception("the line could not be looked at")
                self._fails()
            else:
                if self.away or known is None:
                    self.away = False
                    self._tell({BACK})
                else:
                    self._tell(_changed(known, marks))
                known = marks
            await asyncio.sleep(EVERY_SECONDS)

    async def _in_time(self, known: Marks | None) -> Marks:
        """A look at the database, however long it takes: after `LOOK_SECONDS` it is unknown what has changed."""
        look = asyncio.ensure_future(run_in_threadpool(self._marks, known))
        try:
            done, _ = await asyncio.wait({look}, timeout=LOOK_SECONDS)
            if not done:
                self._fails()
            return await look
        finally:
            look.cancel()

    def _fails(self) -> None:
        if not self.away:
            self.away = True
            self._tell({AWAY})

    def _marks(self, known: Marks | None) -> Marks:
        with self._database.reading() as session:
            marks, ahead = line_changes.marks(session, known), captures_ahead.unnoted(session)
        captures_ahead.note(self._database, ahead)
        return marks

    def _tell(self, ids: set[str]) -> None:
        self._news += bool(ids)
        for queue in self._listeners:
            if queue.qsize() + len(ids) > _MOST_WAITING:
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(AWAY if self.away else BACK)
                continue
            for piece_id in sorted(ids):
                queue.put_nowait(piece_id)


def _changed(before: Marks, now: Marks) -> set[str]:
    ids = {head_id(*place) for place in _differing(before.heads, now.heads)}
    ids.update(head_id(*place) for place in now.judged)
    ids.update(head_id(*place) for _, place in before.changed.items() ^ now.changed.items())
    ids.update(head_id(*place) for _, place in before.awaited.items() ^ now.awaited.items())
    came = [key for key in now.of_checks.keys() - before.of_checks.keys() if isinstance(key, int)]
    if now.of_all - before.of_all or len(came) >= line_changes.FAULTS_AT_ONCE:
        ids.add(BACK)
    # Those that are there no more are only too old.
    ids.update(head_id(*known[0]) for key, known in now.of_checks.items() if before.of_checks.get(key) != known)
    if (before.faults, before.runs) != (now.faults, now.runs):
        ids.add(FAULTS)
    return ids


def _differing(before: Mapping[tuple[str, str], object], now: Mapping[tuple[str, str], object]) -> set[tuple[str, str]]:
    return {place for place in before.keys() | now.keys() if before.get(place) != now.get(place)}
