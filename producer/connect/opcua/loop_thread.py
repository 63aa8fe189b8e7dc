"""A thread with an event loop: for what asyncua does, while the rest of the connector waits for its answer."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, Final, TypeVar

CLOSE_TIMEOUT: Final = 5.0
"""Seconds that what runs in a loop may take to be cancelled."""

T = TypeVar("T")

# What asyncua says of others' mistakes would fill the log of whoever lets anybody connect; we say who was refused.
# Its word on our certificate is about this machine's own name, by which nobody may reach it.
_LOUD: Final = (
    *(f"server.{name}" for name in ("uaprocessor", "binary_server_asyncio", "internal_session", "internal_server")),
    "server.subscription_service",
    "crypto.uacrypto",
    "client",
)


class LoopThread:
    """A running event loop; safe to use from several threads."""

    def __init__(self, name: str):
        for logger in _LOUD:
            logging.getLogger(f"asyncua.{logger}").setLevel(logging.CRITICAL)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        """What the coroutine returns, or raises.

        Raises:
            TimeoutError: it did not end within `timeout` seconds, and is cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except FutureTimeoutError:
            future.cancel()
            raise

    def close(self) -> None:
        """End the loop, and what runs in it; where something in it does not come to its end, leave it."""
        with suppress(TimeoutError):
            self.call(self._cancel_all(), CLOSE_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_TIMEOUT)
        if not self._thread.is_alive():
            self._loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
