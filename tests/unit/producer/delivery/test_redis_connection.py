from __future__ import annotations

from typing import Any

import pytest
from redis import Connection, SSLConnection, UnixDomainSocketConnection
from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

from producer.delivery.redis_client import EventSender
from producer.delivery.redis_connection import check_url, redis_pool


@pytest.mark.parametrize(
    ("url", "kind", "told"),
    [
        ("redis://h:1/2", Connection, {"host": "h", "port": 1, "db": 2}),
        ("redis://h", Connection, {"host": "h"}),
        ("redis://[::1]:6379/2", Connection, {"host": "::1", "port": 6379, "db": 2}),
        (
            "rediss://u:p%40@h/0",
            SSLConnection,
            {"host": "h", "username": "u", "password": "p@", "ssl_cert_reqs": "required"},
        ),
        ("unix:///run/a.sock?db=3", UnixDomainSocketConnection, {"path": "/run/a.sock", "db": 3}),
        (
            "unix://u:p@/run/a.sock",
            UnixDomainSocketConnection,
            {"path": "/run/a.sock", "username": "u", "password": "p"},
        ),
        ("redis+socket:///run/a.sock?virtual_host=3", UnixDomainSocketConnection, {"path": "/run/a.sock", "db": 3}),
    ],
)
def test_every_form_of_url_is_read(url: str, kind: type, told: dict[str, Any]) -> None:
    pool = redis_pool(url, socket_timeout=1.0, socket_connect_timeout=1.0, socket_keepalive=True)
    assert pool.connection_class is kind
    assert told.items() <= pool.connection_kwargs.items()


@pytest.mark.parametrize(
    ("url", "kind", "db"),
    [
        ("sentinel://u:p@a:1,b,[::1]:3/plant/2", SentinelManagedConnection, 2),
        ("sentinels://u:p@a:1,b,[::1]:3/plant", SentinelManagedSSLConnection, 0),
    ],
)
def test_sentinels_are_asked_for_the_master(url: str, kind: type, db: int) -> None:
    pool = redis_pool(f"{url}?sentinel_password=theirs", socket_timeout=1.0)
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.connection_class is kind
    assert {"username": "u", "password": "p", "db": db}.items() <= pool.connection_kwargs.items()
    asked = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in asked] == [("a", 1), ("b", 26379), ("::1", 3)]
    assert {each["password"] for each in asked} == {"theirs"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://h", "must begin with"),
        ("h:6379", "must begin with"),
        ("", "must begin with"),
        ("redis://", "a host"),
        ("redis://:6379/0", "a host"),
        ("redis://h:x/0", "port"),
        ("redis://h:0/0", "port"),
        ("redis://h:/0", "port"),
        ("redis://h:70000", "port"),
        ("redis://a:1,b:2/0", "port"),
        ("redis://[::1/0", "cannot be read"),
        ("redis://h/abc", "must be a number"),
        ("redis://h/-1", "must be a number"),
        ("redis://h/0/1", "must be a number"),
        ("redis://h?db=a", "must be a number"),
        ("unix:///a?db=a", "must be a number"),
        ("unix://run/a", "whole path"),
        ("unix://", "whole path"),
        ("sentinel://a,b", "name the master"),
        ("sentinel://a:x/plant", "port"),
        ("sentinel:///plant", "a host"),
        ("sentinel://a/plant/x", "must be a number"),
        ("redis://h?timeout=5", "redis-py does not know"),
        ("redis://h?foo=bar", "redis-py does not know"),
        ("redis://h?protocol=9", "leave it away"),
        ("redis://h?protocol=3", "leave it away"),
        ("unix:///a?db=0&decode_responses=true", "leave it away"),
        ("sentinel://a/plant?encoding=utf-16", "leave it away"),
        ("redis://:se#cret@h/0", "%23"),
        ("redis://:se/cret@h/0", "%2F"),
        ("redis://:se?cret@h/0", "%3F"),
    ],
)
def test_what_is_no_url_of_redis_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        check_url(url)
    assert "cret" not in str(refused.value)
    with pytest.raises(ValueError, match=words):
        EventSender(url)
