"""`/events`: news for a page that stays open, as server-sent events; ids only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from db.console.access.guard import Watcher
from db.console.context import console_of
from db.console.edition import edition
from db.console.head_requests import is_head
from db.console.live.feed import AWAY, BACK, Feed

router = APIRouter()

_EVENTS: Final = "text/event-stream"

LONGEST_SECONDS: Final = 300.0
"""After this time a stream ends and the page requests a new one, which notices a session that has ended."""

_BEAT_SECONDS: Final = 10.0
"""How often something is sent when nothing changes, so that both sides notice when the other is gone."""


@router.get("/events")
async def events(request: Request, person: Watcher) -> Response:
    """A stream of ids. Who asks was looked up before it begins; it holds no connection to the database."""
    if is_head(request):
        return Response(media_type=_EVENTS)
    stream = _stream(console_of(request).feed, LONGEST_SECONDS)
    return StreamingResponse(stream, media_type=_EVENTS, headers={"X-Accel-Buffering": "no"})


async def _stream(feed: Feed, seconds: float) -> AsyncIterator[str]:
    end = asyncio.get_running_loop().time() + seconds
    async with feed.listen() as news:
        yield f"retry: 1000\n{_ready()}"
        if feed.away:
            yield _server_event(AWAY)
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                piece_id = await asyncio.wait_for(news.get(), min(_BEAT_SECONDS, left))
            except TimeoutError:
                yield _server_event(AWAY if feed.away else "beat")
            else:
                special = {AWAY: _server_event(AWAY), BACK: _ready()}
                yield special.get(piece_id) or _server_event("changed", piece_id)


def _ready() -> str:
    """The page must fetch everything that it shows again, and reload itself if it is of another edition."""
    return _server_event("ready", edition())


def _server_event(name: str, data: str = "") -> str:
    """An event. Its id is the moment by the server's clock: what a page fetches then is of no time before it."""
    return f"event: {name}\nid: {time.time():.3f}\ndata: {data}\n\n"
