"""What stands in a webhook's `allow`: networks, addresses and names of computers."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

_NAME: Final = r"(?=.*[^\W\d_])\w([\w.-]*[\w.])?"


def network_in(entry: str) -> IPv4Network | IPv6Network | None:
    """The network, or the one address, that an entry is; None where it is neither."""
    try:
        return ip_network(entry)
    except ValueError:
        return None


def checked_entry(entry: str) -> str:
    """An entry that is a network, an address or a computer's name.

    Raises:
        ValueError: it is none of them, and would allow nothing.
    """
    if network_in(entry) is None and not re.fullmatch(_NAME, entry):
        try:
            near = f", {ip_network(entry, strict=False)} would be one"
        except ValueError:
            near = ""
        raise ValueError(f"{entry} is no network{near}; nor is it an address or the name of a computer")
    return entry
