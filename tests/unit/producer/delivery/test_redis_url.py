from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection

from producer.delivery.redis_client import AnswerReader, EventSender
from producer.delivery.redis_connection import redis_pool
from producer.delivery.redis_url import with_password, with_trust
from producer.settings import StationSettings

NAMES = ("ca", "cert", "key")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Files with odd characters in their names, to be found again by every client."""
    found = {name: tmp_path / f"{name} of 50% & more?.pem" for name in NAMES}
    for file in found.values():
        file.touch()
    return found


def as_redis_py_reads_it(url: str) -> dict[str, Any]:
    return dict(redis.ConnectionPool.from_url(url).connection_kwargs)


def as_kombu_reads_it(url: str) -> Connection:
    return Connection(url)


def test_a_password_goes_to_the_user_that_the_url_names() -> None:
    odd = "p@ss:w/rd #1%"
    url = with_password("redis://station-1@redis:6379/0", odd)
    assert odd not in url
    read = as_redis_py_reads_it(url)
    assert (read["username"], read["password"], read["host"], read["port"]) == ("station-1", odd, "redis", 6379)
    kombu = as_kombu_reads_it(url)
    assert (kombu.userid, kombu.password, kombu.hostname, kombu.port) == ("station-1", odd, "redis", 6379)


def test_without_a_user_it_is_the_default_users() -> None:
    assert with_password("redis://redis:6379/0", "secret") == "redis://:secret@redis:6379/0"


def test_two_passwords_are_one_too_many() -> None:
    with pytest.raises(ValueError, match="has a password already") as caught:
        with_password("redis://station-1:first-secret@redis/0", "second-secret")
    assert "secret" not in str(caught.value).replace("password", "")


def test_every_client_of_tls_checks_the_servers_name_and_finds_its_files(files: dict[str, Path]) -> None:
    url = with_trust("rediss://u:p@redis:6379/0", files["ca"], files["cert"], files["key"])
    named = {"ssl_ca_certs": files["ca"], "ssl_certfile": files["cert"], "ssl_keyfile": files["key"]}
    for read in (as_redis_py_reads_it(url), as_kombu_reads_it(url).ssl):
        assert {name: Path(read[name]) for name in named} == named
        assert read["ssl_check_hostname"] is True
    assert as_kombu_reads_it(url).ssl["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    assert as_redis_py_reads_it(url)["ssl_cert_reqs"] == "required"
    assert with_trust(url) == url


def test_whoever_is_given_a_plain_rediss_url_checks_the_server_all_the_same() -> None:
    sender, reader = EventSender("rediss://redis/0"), AnswerReader("rediss://redis/0", "station-1", "0-0", frozenset)
    of_kombu = redis_pool(sender._app.conf.broker_transport_options["redis_url"])
    assert of_kombu.connection_kwargs["ssl_cert_reqs"] == "required"
    assert of_kombu.connection_kwargs["ssl_check_hostname"] is True
    assert reader._stream._redis.connection_pool.connection_kwargs["ssl_check_hostname"] is True


@pytest.mark.parametrize("query", ["ssl_cert_reqs=none", "ssl_cert_reqs=CERT_NONE", "ssl_check_hostname=false"])
def test_a_url_that_trusts_anybody_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="trust anybody"):
        with_trust(f"rediss://redis/0?{query}")


def test_certificates_without_tls_are_an_error(files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="rediss://"):
        with_trust("redis://redis/0", files["ca"])


def test_a_certificate_needs_its_key_and_its_file(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="together"):
        with_trust("rediss://redis/0", certificate=files["cert"])
    with pytest.raises(ValueError, match=r"not there: .*nowhere"):
        with_trust("rediss://redis/0", tmp_path / "nowhere")
    with pytest.raises(ValueError, match="ssl_ca_certs already"):
        with_trust("rediss://redis/0?ssl_ca_certs=other.pem", files["ca"])


def test_the_settings_put_it_together(files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("of-the-station\n")
    monkeypatch.setenv("INSERTS_REDIS_URL", "rediss://station-1@redis:6379/0")
    monkeypatch.setenv("INSERTS_REDIS_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("INSERTS_REDIS_CA_FILE", str(files["ca"]))
    read = as_redis_py_reads_it(StationSettings().broker_url())
    assert (read["username"], read["password"]) == ("station-1", "of-the-station")
    assert Path(read["ssl_ca_certs"]) == files["ca"]
    monkeypatch.setenv("INSERTS_REDIS_PASSWORD", "another")
    with pytest.raises(ValueError, match="both set"):
        StationSettings().broker_url()
    assert "another" not in repr(StationSettings())


def test_an_example_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_REDIS_URL", "redis://station-1@redis:6379/0")
    monkeypatch.setenv("INSERTS_REDIS_PASSWORD", "change-me-station-1")
    with pytest.raises(ValueError, match="the example"):
        StationSettings().broker_url()
