"""The one way to connect to Redis: a pool for every supported form of URL, and a clear error for any other.

- `redis://USER@HOST:PORT/DB`, with TLS `rediss://…`;
- `unix:///PATH?db=DB`, a socket on this machine (kombu calls it `redis+socket://`);
- `sentinel://USER@HOST:PORT,HOST:PORT,HOST:PORT/MASTER/DB`, with TLS `sentinels://…`: the sentinels name the
  present master. User and password are those of the servers; where the sentinels want a password too, it is
  `?sentinel_password=…` (and `sentinel_username`).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlencode, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

from producer.delivery.redis_url import with_trust

SENTINEL_PORT: Final = 26379

_SENTINELS: Final = {"sentinel": "redis", "sentinels": "rediss"}
"""How a master that sentinels name is spoken to."""
_SCHEMES: Final = ("redis", "rediss", "unix", *_SENTINELS)
_OURS: Final = ("protocol", "decode_responses", "encoding", "encoding_errors")
"""Options of redis-py's that decide which shape replies have; from a URL they would win over what is read here."""
_ESCAPE: Final = (
    "in its password write / as %2F, ? as %3F, # as %23 and @ as %40, or set INSERTS_REDIS_PASSWORD instead"
)


def connect(url: str, *, timeout: float, retry: Retry | None = None) -> redis.Redis:
    """A client whose every call may take `timeout` seconds; nothing is connected yet. `retry`: by default none.

    Raises:
        ValueError: see `check_url`.
    """
    pool = redis_pool(url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=retry or Retry(NoBackoff(), 0))
    return redis.Redis.from_pool(pool)


def check_url(url: str) -> None:
    """Make sure that clients can be made for a URL, without any network access.

    Raises:
        ValueError: they cannot; the message says what is wrong, and repeats nothing that may be a part of a password.
    """
    redis_pool(url).close()


def redis_pool(url: str, **options: Any) -> redis.ConnectionPool:
    """A pool of connections to what the URL names, with these options of redis-py's connections.

    Raises:
        ValueError: see `check_url`.
    """
    parts = _parts(url)
    options["protocol"] = 2  # RESP3 gives some replies, XREAD's for one, another shape
    if parts.scheme == "unix":
        for name in ("socket_connect_timeout", "socket_keepalive", "socket_keepalive_options"):
            options.pop(name, None)
    if parts.scheme in _SENTINELS:
        pool = _sentinel_pool(parts, options)
    else:
        # `geturl` would leave the slashes of unix:/// away.
        url = f"unix://{parts.netloc}{parts.path}?{parts.query}" if parts.scheme == "unix" else parts.geturl()
        pool = redis.ConnectionPool.from_url(with_trust(url), **options)
    try:
        pool.connection_class(**pool.connection_kwargs)
    except TypeError as error:
        raise ValueError("the URL of Redis has an option after its ? that redis-py does not know") from error
    return pool


def _sentinel_pool(parts: SplitResult, options: dict[str, Any]) -> redis.ConnectionPool:
    access, _, places = parts.netloc.rpartition("@")
    master, db = _master_and_db(parts)
    plain = parts._replace(scheme=_SENTINELS[parts.scheme], netloc=f"{access}@any", path=f"/{db or 0}").geturl()
    server_options: dict[str, Any] = parse_url(with_trust(plain))  # type: ignore[no-untyped-call]
    server_options.pop("host")
    sentinel_options = {
        name: server_options.pop(f"sentinel_{name}")
        for name in ("username", "password")
        if f"sentinel_{name}" in server_options
    }
    if server_options.pop("connection_class", None) is not None:
        server_options["ssl"] = True
    server_options = options | server_options
    shared = {name: value for name, value in server_options.items() if name.startswith(("ssl", "socket_"))}
    sentinels = _Sentinels(  # type: ignore[no-untyped-call]
        [_host_and_port(place, SENTINEL_PORT) for place in places.split(",")],
        sentinel_kwargs={**shared, **sentinel_options, "retry": Retry(NoBackoff(), 0), "protocol": 2},
    )
    return SentinelConnectionPool(unquote(master), sentinels, **server_options)  # type: ignore[no-untyped-call]


class _Sentinels(Sentinel):
    """Sentinels, of which one that is none is told in words."""

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """The present master's host and port.

        Raises:
            redis.ConnectionError: none is known, or no sentinel can be reached.
            redis.ResponseError: one of them refuses, or is no sentinel.
        """
        try:
            return super().discover_master(service_name)  # type: ignore[no-untyped-call,no-any-return]
        except redis.ResponseError as error:
            if "unknown command" not in str(error).lower():
                raise
            raise redis.ResponseError(
                "what answers at this address is a Redis and no sentinel: write redis://HOST:PORT/0 for it, or name "
                "the sentinels, usually at port 26379"
            ) from error


def _parts(url: str) -> SplitResult:
    """The URL's parts, checked."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise ValueError("the URL of Redis cannot be read: write it like redis://HOST:PORT/0") from None
    if parts.scheme == "redis+socket":
        renamed = {"db" if name == "virtual_host" else name: value for name, value in parse_qsl(parts.query)}
        parts = parts._replace(scheme="unix", query=urlencode(renamed))
    if parts.scheme not in _SCHEMES:
        raise ValueError(
            "the URL of Redis must begin with redis://, rediss://, unix://, sentinel:// or sentinels://; "
            "the usual one is redis://HOST:6379/0"
        )
    place = parts.netloc.rpartition("@")[2]
    if parts.fragment or ("@" not in parts.netloc and parts.scheme != "unix" and "@" in parts.path + parts.query):
        raise ValueError(f"the URL of Redis has a character too many: {_ESCAPE}")
    if parts.scheme == "unix":
        if place or parts.path in ("", "/"):
            raise ValueError("a socket of Redis is named by its whole path: unix:///run/redis/redis.sock?db=0")
        db = ""
    elif parts.scheme in _SENTINELS:
        for sentinel in place.split(","):
            _host_and_port(sentinel, SENTINEL_PORT)
        db = _master_and_db(parts)[1]
    else:
        _host_and_port(place, 6379)
        db = parts.path.removeprefix("/")
    query = parse_qs(parts.query, keep_blank_values=True)
    if ours := [name for name in _OURS if name in query]:
        raise ValueError(f"the URL of Redis says {ours[0]} after its ?, and that is not for it to say: leave it away")
    for number in (db, *query.get("db", [])):
        if number and not (number.isascii() and number.isdigit()):
            raise ValueError("the database in the URL of Redis must be a number: redis://HOST:6379/0")
    return parts


def _master_and_db(parts: SplitResult) -> tuple[str, str]:
    master, _, db = parts.path.removeprefix("/").partition("/")
    if not master:
        raise ValueError("the URL of sentinels must name the master: sentinel://HOST:26379,HOST:26379/MASTER/0")
    return master, db


def _host_and_port(place: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = place, 0
    if not host:
        raise ValueError("the URL of Redis must name a host: redis://HOST:6379/0")
    if port == 0 or place.endswith(":"):
        raise ValueError("the port in the URL of Redis must be a number from 1 to 65535")
    return host, port or default
