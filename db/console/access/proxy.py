"""Who a proxy says that it is: where the plant's own login is in front, and from proxies that the settings name."""

from __future__ import annotations

import unicodedata
from ipaddress import ip_address

from fastapi import Request

from db.console.context import console_of


def named_by_proxy(request: Request) -> str | None:
    """The name of the account that a proxy names in its header; None where none of the trusted ones does.

    A header that comes twice is nobody's: one of them may be of who asks.
    """
    settings = console_of(request).settings
    if settings.console_user_header is None or request.client is None:
        return None
    try:
        address = ip_address(request.client.host)
    except ValueError:  # a socket of this machine, say
        return None
    if not any(address in network for network in settings.proxies):
        return None
    names = request.headers.getlist(settings.console_user_header)
    # Header values are bytes; proxies send names in UTF-8, which Starlette reads as Latin-1.
    try:
        name = names[0].encode("latin-1").decode() if len(names) == 1 else ""
    except UnicodeDecodeError:
        return None
    return unicodedata.normalize("NFC", name.strip()) or None
