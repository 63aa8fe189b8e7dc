"""A worker's own calls to Redis, beside Celery's: bounded in time, and tried again over a short restart."""

from __future__ import annotations

from typing import Final

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from producer.delivery.redis_connection import connect

CALL_TIMEOUT: Final = 5.0
"""Seconds that one call to Redis may take."""


def connect_patiently(redis_url: str) -> redis.Redis:
    """Return a client that bridges a short restart of Redis; a longer one is the caller's to wait for."""
    return connect(redis_url, timeout=CALL_TIMEOUT, retry=Retry(ExponentialBackoff(cap=2.0, base=0.1), 5))
