"""Load shedding for a Redis that is full: the newest half of the queue is dropped, so that the rest is judged.

A full Redis refuses events, which wait in their outboxes. It also refuses what a worker must write to take a message
from the queue (kombu records what is in hand), and so would stay full for ever. Messages on the queue can be dropped
at any time: every event is in its station's outbox until it is answered, and is sent again.
"""

from __future__ import annotations

from typing import Any, Final, Self

import redis
import structlog

from producer.contract.event import INSPECT_QUEUE
from producer.delivery.redis_connection import connect
from producer.runtime.periodic import Periodic
from worker.broker.patient_redis import CALL_TIMEOUT

log = structlog.get_logger()

LOOK_EVERY: Final = 2.0
"""Seconds between two looks whether Redis has room."""

FULL: Final = 0.9
"""Of Redis's `maxmemory`: from here on it counts as full. The rest is for what workers must write all the same."""


def make_room(client: redis.Redis) -> int | None:
    """Drop the newest half of the queue where Redis is full.

    Returns:
        How many messages were dropped, 0 where it is full of other things; None where it has room.

    Raises:
        redis.RedisError: Redis is away, or refuses the looking itself.
    """
    memory: Any = client.info("memory")
    if not memory["maxmemory"] or memory["used_memory"] < FULL * memory["maxmemory"]:
        return None
    waiting: Any = client.llen(INSPECT_QUEUE)
    dropped = (waiting + 1) // 2
    if dropped:
        client.ltrim(INSPECT_QUEUE, dropped, -1)
    return int(dropped)


class LoadShedder(Periodic):
    """Makes room in a full Redis, from entering the block to its end."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(LOOK_EVERY, name="load-shedding", failure="whether Redis has room is not known")
        self._redis: redis.Redis = connect(redis_url, timeout=CALL_TIMEOUT)
        self._of_other_things = False

    def __enter__(self) -> Self:
        self._warn_of_eviction()
        self.turn()  # before the worker's first message, which would end it
        return super().__enter__()

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        self._redis.close()

    def _warn_of_eviction(self) -> None:
        try:
            memory: Any = self._redis.info("memory")
        except redis.RedisError:  # it is waited for elsewhere, and says so
            return
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            log.warning(
                "a full Redis deletes answers by its maxmemory-policy, and stations wait: set it to noeviction",
                policy=policy,
            )

    def turn(self) -> None:
        """Make room where Redis is full."""
        try:
            dropped = make_room(self._redis)
        except redis.RedisError as error:  # the worker's own connection logs it
            log.debug("whether Redis has room is not known", problem=str(error))
            return
        if dropped:
            log.warning("Redis is full: the newest captures left the queue, stations send again", dropped=dropped)
        elif dropped == 0 and not self._of_other_things:  # said once, not at every look
            log.error("Redis is full (OOM), and not of captures: give it more memory, or wait until others use less")
        self._of_other_things = dropped == 0
