"""URLs of databases: SQLite files and PostgreSQL, their passwords, and how they are shown."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from sqlalchemy import exc, make_url
from sqlalchemy.engine import URL

from producer.configuration.home_folder import at_home
from producer.configuration.secret_files import EXAMPLE
from producer.configuration.url_check import check_url, unclear

SETTING: Final = "INSERTS_DATABASE_URL"

PREPARE: Final = "prepare_threshold"
"""The parameter of a PostgreSQL URL that psycopg knows and libpq does not: executions of one statement after which it
is prepared on the server; `none` for never, as behind a PgBouncer that pools transactions and is older than 1.21."""


def parse_url(url: str) -> URL:
    """Check a database URL and return it in SQLAlchemy's form.

    One of PostgreSQL may name several hosts, as libpq's do: `HOST:PORT,HOST:PORT`.

    Raises:
        ValueError: it is not a URL of a SQLite file or of PostgreSQL, it can be read in two ways, or has an option
            after its `?` that PostgreSQL's clients do not know.
    """
    if url.startswith("postgresql"):
        check_url(url, SETTING)
        url, places = _without_several_hosts(url)
    else:
        places = {}
    # The text may hold a password, so no message repeats it.
    try:
        parsed = make_url(url).update_query_dict(places)
    except exc.ArgumentError:
        raise ValueError("the database URL cannot be read: write it like sqlite:///FILE") from None
    except ValueError:  # a port that is none
        raise ValueError(unclear(SETTING)) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("a SQLite database needs a file: sqlite:///FILE")
        return parsed.set(database=str(at_home(Path(parsed.database)))) if parsed.database[0] == "~" else parsed
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        prepare_threshold(parsed)
        _check_options(parsed)
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(
        f"databases are sqlite:///FILE and postgresql+psycopg://USER:PASSWORD@HOST/NAME, not {parsed.drivername!r}"
    )


def _without_several_hosts(url: str) -> tuple[str, dict[str, str]]:
    """A checked URL without its hosts where it has several, and these as parameters of libpq's.

    SQLAlchemy knows one host and one port in a URL, and hands parameters on as they are.
    """
    scheme, _, rest = url.partition("://")
    netloc = urlsplit(url).netloc
    access, at, places = netloc.rpartition("@")
    if "," not in places:
        return url, {}
    parts = [urlsplit(f"//{place}") for place in places.split(",")]
    hosts = ",".join(part.hostname or "" for part in parts)
    ports = ",".join(str(part.port or "") for part in parts)  # an empty one is the usual one
    return f"{scheme}://{access}{at}{rest[len(netloc) :]}", {"host": hosts, "port": ports}


def _check_options(parsed: URL) -> None:
    from psycopg.pq import Conninfo

    known = {option.keyword.decode() for option in Conninfo.get_defaults()} | {PREPARE}
    if unknown := sorted(parsed.query.keys() - known):
        meant = get_close_matches(unknown[0], known, 1)
        raise ValueError(
            f"the database URL has the option {unknown[0]!r}, which PostgreSQL does not know"
            + (f": is {meant[0]} meant?" if meant else "")
        )


def prepare_threshold(parsed: URL) -> dict[str, int | None]:
    """The argument of psycopg for prepared statements; none where the URL does not say.

    Raises:
        ValueError: what it says is neither a number nor `none`.
    """
    threshold = parsed.query.get(PREPARE)
    if threshold is None:
        return {}
    if threshold == "none":
        return {PREPARE: None}
    if isinstance(threshold, str) and threshold.isascii() and threshold.isdigit():
        return {PREPARE: int(threshold)}
    raise ValueError(f"{PREPARE} in the database URL must be a number or none")


def shown(url: str) -> str:
    """The URL for people and logs: without its password, and without those that libpq takes as parameters."""
    parsed = parse_url(url)
    if (file := sqlite_file(url)) is not None:
        return f"sqlite:///{file}"
    secrets = [name for name in parsed.query if "password" in name]
    return parsed.difference_update_query(secrets).render_as_string(hide_password=True)


def with_password(url: str, password: str) -> str:
    """The URL of PostgreSQL with a password for the user that it names; one of SQLite comes back as it is.

    Raises:
        ValueError: it is neither, has a password already, or the password is still that of the example.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return url
    if parsed.password or "password" in parsed.query:
        raise ValueError("the database URL has a password already, and another one is given: take one away")
    if password.startswith(EXAMPLE):
        raise ValueError("the password for the database is still that of the example: take one of your own")
    return parsed.set(password=password).render_as_string(hide_password=False)


def sqlite_file(url: str) -> Path | None:
    """The file that a SQLite URL names, or None where the URL is of another engine."""
    if parse_url(url).get_backend_name() != "sqlite":
        return None
    # SQLAlchemy takes a byte that is no UTF-8 for a question mark, and a file's name may hold any.
    return at_home(Path(unquote(url.partition(":///")[2].partition("?")[0], errors="surrogateescape")))


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file, also of one with odd characters in its name."""
    return f"sqlite:///{quote(os.fsencode(file))}"
