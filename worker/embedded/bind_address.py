"""`--bind`: which addresses of this machine the embedded Redis listens on, and which one its URL names."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from itertools import chain

from producer.configuration.ports import PortRefused


@dataclass(frozen=True)
class Bind:
    """Where Redis listens."""

    addresses: tuple[str, ...]
    """For Redis and for a first attempt to bind: numbers, not names."""
    host: str
    """For a URL: what another machine can use, where there is one (IPv6 in brackets)."""

    @classmethod
    def parse(cls, text: str) -> Bind:
        """From one or several addresses or names of this machine, with commas or blanks between them.

        `0.0.0.0` and `::` are all of its addresses of that kind; the URL then names the one that faces the network, as
        far as that is known.

        Raises:
            PortRefused: there is none, or a name cannot be resolved.
        """
        names = text.replace(",", " ").split()
        if not names:
            raise PortRefused("--bind needs an address of this machine; 127.0.0.1 is for itself alone")
        resolved = {name: _resolved(name) for name in names}
        addresses = tuple(dict.fromkeys(chain.from_iterable(resolved.values())))
        # Of several, one that is not the loopback: other machines can use it.
        host = min(names, key=lambda name: all(map(_is_loopback, resolved[name])))
        return cls(addresses, _reachable(host))


def own_address(family: socket.AddressFamily) -> str | None:
    """The machine's own address in the network, None where it has none; nothing is sent."""
    # Addresses reserved for documentation (RFC 5737, RFC 3849): the route to them is the default route.
    elsewhere = "2001:db8::1" if family == socket.AF_INET6 else "203.0.113.1"
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _resolved(name: str) -> list[str]:
    try:
        infos = socket.getaddrinfo(name.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PortRefused(f"{name!r} is no address, and no name that this machine knows") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in infos))


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _reachable(name: str) -> str:
    name = name.strip("[]")
    if name == "0.0.0.0":  # noqa: S104 - compared, not listened on
        return own_address(socket.AF_INET) or "127.0.0.1"
    if name == "::":
        name = own_address(socket.AF_INET6) or "::1"
    return f"[{name}]" if ":" in name else name
