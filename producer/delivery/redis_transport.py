"""kombu's Redis transport on this project's own connections (`producer.delivery.redis_connection`).

kombu has another spelling for each form of URL and reads some of them otherwise than redis-py; so the URL is
passed as a transport option, and the pools are made as all others are.
"""

from __future__ import annotations

from typing import Any

from kombu.transport.redis import Channel, Transport
from redis.sentinel import SentinelConnectionPool

from producer.delivery.redis_connection import redis_pool

BROKER = "redis://redis"
"""The broker URL that Celery and kombu get. It names no server: the real URL is the transport option `redis_url`."""


class UrlChannel(Channel):
    """kombu's channel with pools by `redis_pool`."""

    redis_url: str
    from_transport_options: Any = (*Channel.from_transport_options, "redis_url")

    def _get_pool(self, asynchronous: bool = False) -> Any:
        pool = redis_pool(
            self.redis_url,
            socket_timeout=self.socket_timeout,
            socket_connect_timeout=self.socket_connect_timeout,
            socket_keepalive=self.socket_keepalive,
            health_check_interval=self.health_check_interval,
            max_connections=self.max_connections,
        )
        if isinstance(pool, SentinelConnectionPool):
            setattr(self, "_async_sentinel_manager" if asynchronous else "_sentinel_manager", pool.sentinel_manager)
        if asynchronous:
            pool.connection_class = _polled(self, pool.connection_class)
        self.keyprefix_fanout = self.keyprefix_fanout.format(db=pool.connection_kwargs.get("db", 0))
        return pool


def _polled(channel: UrlChannel, connection_class: Any) -> Any:
    """As kombu's own `Channel._connparams` has it: its poller learns of connections that end."""

    class Polled(connection_class):  # type: ignore[misc]
        def disconnect(self, *args: Any, **options: Any) -> None:
            super().disconnect(*args, **options)
            if channel._registered:
                channel._on_connection_disconnect(self)  # type: ignore[no-untyped-call]

    return Polled


class UrlTransport(Transport):
    """kombu's transport with a `UrlChannel`."""

    Channel = UrlChannel
