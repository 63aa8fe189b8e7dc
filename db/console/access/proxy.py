"""The name and address of a person, as a proxy that the settings name reports them."""

from __future__ import annotations

import unicodedata
from ipaddress import ip_address

from fastapi import Request

from db.console.context import console_of


def named_by_proxy(request: Request) -> str | None:
    """The name of the account that a proxy names in its header; None where none of the trusted ones does.

    A header that comes twice is ignored: the client may have sent one of the two.
    """
    settings = console_of(request).settings
    if settings.console_user_header is None or request.client is None:
        return None
    if not _is_proxy(request, request.client.host):
        return None
    names = request.headers.getlist(settings.console_user_header)
    # Header values are bytes; proxies send names in UTF-8, which Starlette reads as Latin-1.
    try:
        name = names[0].encode("latin-1").decode() if len(names) == 1 else ""
    except UnicodeDecodeError:
        return None
    return unicodedata.normalize("NFC", name.strip()) or None


def client_address(request: Request) -> str:
    """The address that a request comes from: behind trusted proxies the last one in `X-Forwarded-For` that is none.

    The client may have sent the addresses before that one.
    """
    address = request.client.host if request.client is not None else ""
    for before in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
        if not _is_proxy(request, address) or not before.strip():
            break
        address = before.strip()
    return address


def _is_proxy(request: Request, address: str) -> bool:
    try:
        known = ip_address(address)
    except ValueError:  # a socket of this machine, say
        return False
    return any(known in network for network in console_of(request).settings.proxies)
