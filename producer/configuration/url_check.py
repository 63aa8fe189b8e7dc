"""Whether a URL of a server can be read without guessing where its password ends.

A password with `#`, `/`, `?` or `@` in it, written as it is, ends early for one parser and late for another:
its rest becomes a port, a host or a path, and is then printed by the library that finds no such thing. So such a
URL is refused before anything parses it, with a message that repeats nothing of it.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_WHITE: Final = frozenset("\t\r\n")


def check_url(url: str, setting: str) -> None:
    """Make sure that all libraries read a URL, or each of several separated by `;`, in the same way.

    Args:
        url: `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?QUERY]`; several hosts are separated by commas.
        setting: the variable that it comes from, as `INSERTS_REDIS_URL`.

    Raises:
        ValueError: it cannot be read so; the message repeats nothing of it.
    """
    for part in url.split(";"):
        if not _clear(part):
            raise ValueError(unclear(setting))
        if " " in urlsplit(part).netloc.rpartition("@")[2]:
            raise ValueError(f"there is a blank where a host's name is. {unclear(setting)}")


def unclear(setting: str) -> str:
    """What is said of a URL that cannot be read, without a word of it; `setting` as in `check_url`."""
    own = setting.replace("URL", "PASSWORD")
    return (
        f"{setting} cannot be read. Does its password have a character that means something in a URL? "
        "Percent-encode it (# is %23, / %2F, ? %3F, @ %40, : %3A, % %25, [ %5B, ] %5D, ; %3B, a blank %20), "
        f"or leave the password out of the URL and set {own} or {own}_FILE"
    )


def _clear(url: str) -> bool:
    scheme, separator, rest = url.partition("://")
    if not scheme or not separator or url != url.strip() or _WHITE & set(url):  # urlsplit would leave white space out
        return False
    try:
        split = urlsplit(url)
        user, _, places = split.netloc.rpartition("@")
        for place in places.split(","):
            _ = urlsplit(f"//{place}").port
    except ValueError:
        return False
    # Whatever ends a password early leaves its @ to what comes behind.
    behind = rest[len(split.netloc) :]
    return "@" not in user and not (split.netloc and ("@" in behind or split.fragment))
