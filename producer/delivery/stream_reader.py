"""Reads a Redis stream from a position onwards, every call bounded in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import redis

from producer.delivery.redis_connection import connect

CALL_TIMEOUT: Final = 3.0
"""Seconds that one call to Redis may take. Publishing makes at most three (connect, greet, push), so a hanging Redis
is detected within ten seconds (kombu has no timeout of its own: celery#4296)."""

BATCH: Final = 500
"""Entries that one read gives at most: one that gives fewer has read to the stream's end."""

READ_BLOCK_MS: Final = 1000
"""How long one read waits for an entry; below `CALL_TIMEOUT`, so that an empty stream is not taken for a fault."""


@dataclass(frozen=True)
class StreamEntry:
    """An entry of a stream: its id, `MILLISECONDS-NUMBER` by the clock of Redis, and its fields."""

    id: str
    fields: dict[bytes, bytes]

    @property
    def written_at(self) -> float:
        """When Redis took it, in seconds since the epoch by the clock of Redis."""
        return order(self.id)[0] / 1000


class StreamReader:
    """Reads one stream; `position` is the id of the last entry that was read."""

    def __init__(
        self,
        redis_url: str,
        stream: str,
        position: str,
        came_back_empty: Callable[[], None] = lambda: None,
        cut: Callable[[str], None] | None = None,
    ):
        """Nothing is connected yet.

        Args:
            redis_url: where the stream is.
            stream: its key.
            position: the id of the last entry that was read before; `0-0` where none was.
            came_back_empty: called whenever Redis has lost what was read before.
            cut: called, before the position moves on, whenever what was read last is not in the stream any more: it was
                cut behind it, or is another one, of a Redis that came back from an older file. Entries that nobody read
                may be gone. It is given the id of the next that is left.
        """
        self.position = position
        self._came_back_empty = came_back_empty
        self._cut = cut
        self._stream = stream
        self._checked = False
        self._redis: redis.Redis = connect(redis_url, timeout=CALL_TIMEOUT)

    def read(self, *, wait: bool = True) -> list[StreamEntry]:
        """The next entries, at most `BATCH`, after a wait of at most a second; none when there are none.

        Args:
            wait: whether to wait for one where there is none.

        Raises:
            redis.RedisError: Redis is away or hanging; call again later.
        """
        try:
            if not self._checked:
                self._start_over_after_a_wipe()
            block = READ_BLOCK_MS if wait else None
            batches: Any = self._redis.xread({self._stream: self.position}, count=BATCH, block=block)
            if batches and self._cut is not None and self._is_broken():
                self._cut(batches[0][1][0][0].decode())
        except redis.RedisError:
            self._checked = False
            raise
        # While nothing comes, look again: Redis may be emptied without a connection being lost.
        self._checked = bool(batches)
        entries = [StreamEntry(entry_id.decode(), fields) for _, read in batches for entry_id, fields in read]
        if entries:
            self.position = entries[-1].id
        return entries

    def newest(self) -> str:
        """The id of the newest entry; `0-0` where there is none.

        Raises:
            redis.RedisError: Redis is away or hanging.
        """
        last: Any = self._redis.xrevrange(self._stream, count=1)
        return last[0][0].decode() if last else "0-0"

    def history(self) -> str:
        """Of whose writes the stream is: another one where Redis was started anew, or another server is the master.

        Then what it had before may be gone, and no entry that is there says so.

        Raises:
            redis.RedisError: Redis is away or hanging, or a replica, to which nobody writes what is said now.
        """
        replication: Any = self._redis.info("replication")
        if replication.get("role") == "slave":
            raise redis.ReadOnlyError("this Redis is a replica: what is said now is written to its master")
        return str(replication.get("master_replid"))

    def has(self, key: str) -> bool:
        """Whether there is a key now, beside the stream.

        Raises:
            redis.RedisError: Redis is away or hanging.
        """
        return bool(self._redis.exists(key))

    def is_before(self, entry_id: str) -> bool:
        """Whether the entry of that id was not read yet."""
        return order(self.position) < order(entry_id)

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()

    def _is_broken(self) -> bool:
        """Whether what was read last is gone, and so may be what came after it."""
        position = self.position
        return position != "0-0" and not self._redis.xrange(self._stream, min=position, max=position)

    def _start_over_after_a_wipe(self) -> None:
        # A Redis that came back empty may, with a clock behind, hand out ids below our position: never read again.
        if order(self.newest()) < order(self.position):
            self._came_back_empty()
            self.position = "0-0"
        self._checked = True


def order(entry_id: str) -> tuple[int, int]:
    """What compares two ids of entries: the lower was written before."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)
