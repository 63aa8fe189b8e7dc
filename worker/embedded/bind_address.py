"""`--bind`: which addresses of this machine the embedded Redis listens on, and by which one others reach it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from producer.configuration.ports import PortRefused


@dataclass(frozen=True)
class Bind:
    """Where Redis listens."""

    addresses: tuple[str, ...]
    """For Redis and for trying: numbers, not names."""
    host: str
    """For a URL: what another machine can use, where there is one (IPv6 in brackets)."""

    @classmethod
    def parse(cls, text: str) -> Bind:
        """From one or several addresses or names of this machine, with commas or blanks between them.

        `0.0.0.0` and `::` are all of its addresses of that kind; others then reach it by the one that it has
        towards them, as far as that can be told.

        Raises:
            PortRefused: there is none, or a name that is not known.
        """
        names = text.replace(",", " ").split()
        if not names:
            raise PortRefused("--bind needs an address of this machine; 127.0.0.1 is for itself alone")
        found = {name: _resolved(name) for name in names}
        addresses = tuple(dict.fromkeys(address for each in found.values() for address in each))
        # Several: whoever is elsewhere has no use for the loopback.
        host = min(names, key=lambda name: all(ipaddress.ip_address(each).is_loopback for each in found[name]))
        return cls(addresses, _reachable(host))


def own_address(family: socket.AddressFamily) -> str | None:
    """The machine's own address towards others, None where it has none; nothing is sent."""
    # Addresses kept for documents (RFC 5737, RFC 3849): the way there is the way out.
    elsewhere = "2001:db8::1" if family == socket.AF_INET6 else "203.0.113.1"
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _resolved(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PortRefused(f"{name!r} is no address, and no name that this machine knows") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _reachable(name: str) -> str:
    name = name.strip("[]")
    if name == "0.0.0.0":  # noqa: S104 - compared, not listened on
        return own_address(socket.AF_INET) or "127.0.0.1"
    if name == "::":
        name = own_address(socket.AF_INET6) or "::1"
    return f"[{name}]" if ":" in name else name
