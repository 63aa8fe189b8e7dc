"""The head register of a console that goes on for days: open pages hear of it when its file was changed."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from starlette.concurrency import run_in_threadpool

from db.console.live.feed import Feed
from producer.station.followed_register import FollowedRegister

EVERY_SECONDS: Final = 1.0
"""How often the file is checked: not by requests for pages, because a hanging share would delay them."""


async def follow(register: FollowedRegister, feed: Feed) -> None:
    """Read the register again whenever its file has changed, and notify all open pages; ends when it is cancelled."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        if await run_in_threadpool(register.look_again, time.monotonic()):
            feed.tell_all()
