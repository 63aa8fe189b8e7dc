from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kombu import Connection
from redis import ConnectionPool
from sqlalchemy import make_url

from db.engine.url import parse_url, shown
from db.engine.url import with_password as with_database_password
from producer.configuration.url_check import check_url
from producer.delivery.redis_url import with_password, with_trust

# As people make them, and with all that means something in a URL.
PASSWORDS = st.text(st.sampled_from("abcXYZ019#/?@:%[]; ;&=+!$äßé€\"'<>\\^`{|}~"), min_size=8, max_size=20)


def pieces(password: str) -> set[str]:
    """All that a message must not have of a password: four characters in a row, or what is between two signs."""
    return {password[i : i + 4] for i in range(len(password) - 3)}


def refused(check: Callable[[], object]) -> str | None:
    try:
        check()
    except ValueError as error:
        return str(error)
    return None


@given(password=PASSWORDS)
def test_a_password_as_it_is_is_read_by_everybody_alike_or_refused_without_a_word_of_it(password: str) -> None:
    url = f"redis://station:{password}@redis.plant:6379/0"
    said = refused(lambda: with_trust(url))
    if said is None:
        assert ConnectionPool.from_url(url).connection_kwargs["host"] == "redis.plant"
        assert Connection(url).hostname == "redis.plant"
    else:
        assert "INSERTS_REDIS_PASSWORD_FILE" in said
        assert not [piece for piece in pieces(password) if piece in said.partition("(")[0] + said.partition(")")[2]]


@settings(deadline=None)  # the first one loads psycopg
@given(password=PASSWORDS)
def test_the_same_for_a_database(password: str) -> None:
    url = f"postgresql://worker:{password}@db.plant:5432/inserts"
    said = refused(lambda: parse_url(url))
    if said is None:
        parsed = parse_url(url)
        assert (parsed.host, parsed.port, parsed.database) == ("db.plant", 5432, "inserts")
        assert not [piece for piece in pieces(password) if piece in shown(url).replace("***", "")]
    else:
        assert "INSERTS_DATABASE_PASSWORD_FILE" in said
        assert not [piece for piece in pieces(password) if piece in said.partition("(")[0] + said.partition(")")[2]]


@given(password=PASSWORDS)
def test_percent_encoded_it_is_always_read(password: str) -> None:
    assume(not password.startswith("change-me"))
    url = f"redis://station:{quote(password, safe='')}@redis.plant:6379/0"
    assert with_trust(url) == url == with_password("redis://station@redis.plant:6379/0", password)
    database = f"postgresql://worker:{quote(password, safe='')}@db.plant/inserts"
    assert parse_url(database).password == password
    given_apart = with_database_password("postgresql://worker@db.plant/inserts", password)
    assert make_url(given_apart).password == password


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis:6379/0",
        "redis://:pw@redis/0",
        "rediss://u:p%23%40@h:1/0?ssl_ca_certs=/etc/ca.pem",
        "redis://[::1]:6379/0",
        "redis://u:p@[fe80::1%25eth0]:6379/0",
        "unix:///run/redis@plant.sock?db=0",
        "unix://u:p@/run/redis.sock",
        "redis+socket:///run/redis.sock",
        "sentinel://:p@h1:26379;sentinel://:p@h2:26379/0",
        "sentinel://h1:26379,h2:26379/0",
    ],
)
def test_urls_that_are_none_too_odd_are_left_alone(url: str) -> None:
    check_url(url, "INSERTS_REDIS_URL")


@pytest.mark.parametrize("url", ["", "redis", "://", "redis://u:p\n@h/0", " redis://h/0", "redis://u:12#34@h/0"])
def test_what_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="INSERTS_REDIS_URL cannot be read"):
        check_url(url, "INSERTS_REDIS_URL")


@pytest.mark.parametrize("url", ["redis://my host:6379/0", "redis://u:p w@my host/0", "sentinel://a:1,my host:2/m/0"])
def test_a_blank_in_a_host_is_said_to_be_one(url: str) -> None:
    with pytest.raises(ValueError, match="there is a blank where a host"):
        check_url(url, "INSERTS_REDIS_URL")
