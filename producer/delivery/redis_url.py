"""The URL of Redis with everything that a client needs: user, password, and the certificates to trust.

Every client gets this URL, so all connect in the same way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from producer.configuration.secret_files import EXAMPLE
from producer.configuration.url_check import check_url

SETTING: Final = "INSERTS_REDIS_URL"

_CHECKED: Final = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}


def with_password(url: str, password: str) -> str:
    """The URL with a password for the user that it names (`redis://USER@HOST:PORT/0`).

    Raises:
        ValueError: it cannot be read, has one already, or the password is the example.
    """
    check_url(url, SETTING)
    parts = urlsplit(url)
    if parts.password:
        raise ValueError("the URL of Redis has a password already, and another one is given: take one away")
    if password.startswith(EXAMPLE):
        raise ValueError("the password for Redis is still that of the example: take one of your own")
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username or ''}:{quote(password, safe='')}@{place}").geturl()


def with_trust(url: str, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> str:
    """The URL with what TLS needs. A `rediss://` server must prove its name, whatever a client's own default is.

    kombu checks nothing at all of a server whose URL does not ask for it (`Connection._init_params`).

    Args:
        url: of Redis; any that is not `rediss://` or `sentinels://` comes back as it is.
        ca: the certificates of those who vouch for the server (PEM); without it, those that the system trusts.
        certificate: this client's own (PEM), where the server wants one.
        key: the private key of that certificate (PEM).

    Raises:
        ValueError: the URL cannot be read or asks not to check, files are given for a URL without TLS, or one of them
            is not there.
    """
    check_url(url, SETTING)
    all_files = {"ssl_ca_certs": ca, "ssl_certfile": certificate, "ssl_keyfile": key}
    files = {name: file for name, file in all_files.items() if file is not None}
    parts = urlsplit(url)
    if parts.scheme not in ("rediss", "sentinels"):
        if files:
            raise ValueError("certificates for Redis need an URL of rediss:// or sentinels://, or nothing is encrypted")
        return url
    if (certificate is None) != (key is None):
        raise ValueError("a client's certificate for Redis and its private key are needed together")
    for file in files.values():
        if not file.is_file():
            raise ValueError(f"the certificate or key for Redis is not there: {file}")
    query = dict(parse_qsl(parts.query))
    for name, value in _CHECKED.items():
        if query.get(name, value).lower() != value:
            raise ValueError(f"{name}={query[name]} would trust anybody who says to be Redis: leave it away")
    if twice := files.keys() & query.keys():
        raise ValueError(f"the URL of Redis has {', '.join(sorted(twice))} already, and another one is given")
    query |= _CHECKED | {name: str(file) for name, file in files.items()}
    return parts._replace(query=urlencode(query, safe="/")).geturl()
