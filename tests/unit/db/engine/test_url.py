from __future__ import annotations

from typing import Any

import pytest

from db.engine.url import parse_url, with_password


def as_psycopg_is_told(url: str) -> dict[str, Any]:
    parsed = parse_url(url)
    return dict(parsed.get_dialect()().create_connect_args(parsed)[1])


@pytest.mark.parametrize("secret", ["s3#cret", "s3/cret", "s3?cret", "s3@cret", "#s3cret@x"])
def test_a_password_that_can_be_read_in_two_ways_is_refused_as_that_of_redis_is(secret: str) -> None:
    with pytest.raises(ValueError, match="INSERTS_DATABASE_URL cannot be read") as refused:
        parse_url(f"postgresql://worker:{secret}@db.plant/inserts")
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("places", "host", "port"),
    [
        ("db1,db2", "db1,db2", ","),
        ("db1:5433,db2:5434", "db1,db2", "5433,5434"),
        ("db1:5433,db2", "db1,db2", "5433,"),
        ("[fe80::1]:5433,db2:5434", "fe80::1,db2", "5433,5434"),
    ],
)
def test_several_hosts_are_handed_on_to_libpq(places: str, host: str, port: str) -> None:
    url = f"postgresql://worker:p%23w@{places}/inserts?target_session_attrs=read-write"
    told = as_psycopg_is_told(url)
    assert (told["host"], told["port"]) == (host, port)
    assert (told["user"], told["password"], told["dbname"]) == ("worker", "p#w", "inserts")
    assert told["target_session_attrs"] == "read-write"
    given_apart = with_password(url.replace(":p%23w", ""), "p#w")
    assert as_psycopg_is_told(given_apart) == told


def test_an_option_that_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match="option 'sslmod', which PostgreSQL does not know: is sslmode meant"):
        parse_url("postgresql://db/inserts?sslmod=verify-full")
    with pytest.raises(ValueError, match=r"option 'q', which PostgreSQL does not know$"):
        parse_url("postgresql://db/inserts?q=1&sslmode=require")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///inserts?host=/var/run/postgresql",
        "postgresql://postgres:@/inserts?host=/tmp/x",
        "postgresql://u@db/inserts?sslmode=verify-full&sslrootcert=/ca.pem&prepare_threshold=none",
    ],
)
def test_what_libpq_knows_is_left_alone(url: str) -> None:
    assert parse_url(url).render_as_string(hide_password=False).partition("?")[2]


def test_a_blank_in_a_host() -> None:
    with pytest.raises(ValueError, match=r"there is a blank where a host.*INSERTS_DATABASE_URL"):
        parse_url("postgresql://worker@db plant/inserts")
