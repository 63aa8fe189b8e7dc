"""Transient refusals of Redis: it answers and refuses for now, because of a full disk, a failover or a long start.

A transient refusal passes by itself, or when disk or memory is freed, and is waited for like an unreachable Redis. A
wrong password or a missing right does not pass by itself: a process that finds it at its start ends, one that runs
waits until a person has changed it back.
"""

from __future__ import annotations

import re
from typing import Final

import redis

# https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors and redis.c's shared objects.
_CODES: Final = (
    "MISCONF",  # its last save failed: a full disk mostly
    "READONLY",  # it has become a replica
    "UNBLOCKED",  # it became one while a client waited
    "NOREPLICAS",  # fewer replicas than min-replicas-to-write
    "LOADING",  # it reads its data after a start
    "OOM",  # maxmemory is reached
    "BUSY",  # a script or a module runs for long
    "MASTERDOWN",  # a replica without its master
    "CLUSTERDOWN",
    "TRYAGAIN",
)
# Alone, or where a script or a pipeline has put words of its own before it.
_REFUSAL: Final = re.compile(rf"(?:^|[\s:-])({'|'.join(_CODES)})(?=\s|$)")
# redis-py takes the code off where it has a class for it.
_CLASSES: Final[dict[type[Exception], str]] = {
    redis.ReadOnlyError: "READONLY",
    redis.OutOfMemoryError: "OOM",
    redis.exceptions.MasterDownError: "MASTERDOWN",
    redis.exceptions.ClusterDownError: "CLUSTERDOWN",
    redis.exceptions.TryAgainError: "TRYAGAIN",
    redis.BusyLoadingError: "LOADING",
}


class RedisRefuses(redis.RedisError):
    """Redis is there and refuses for now: wait, and do the same again."""


def refusal(error: BaseException) -> str | None:
    """Redis's own words, if an error is a refusal that will pass; else None."""
    if not isinstance(error, redis.RedisError):
        return None
    text = str(error)
    for kind, code in _CLASSES.items():
        if isinstance(error, kind):
            return text if code in text else f"{code} {text}"
    if isinstance(error, RedisRefuses) or (isinstance(error, redis.ResponseError) and _REFUSAL.search(text)):
        return text
    return None


def is_denied(error: BaseException) -> bool:
    """Whether Redis denies this user a command, or another program has put something else where the line's key is."""
    wrong_type = isinstance(error, redis.ResponseError) and "WRONGTYPE" in str(error)
    return wrong_type or isinstance(error, redis.exceptions.NoPermissionError)


def is_away(error: BaseException) -> bool:
    """Whether an error means that Redis is away, hangs or refuses: worth waiting for by a process that runs."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return True
    return refusal(error) is not None or is_denied(error)
