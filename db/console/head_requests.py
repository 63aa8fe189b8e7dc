"""HEAD is answered wherever GET is: the same headers without the content (RFC 9110)."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_MARK: Final = "asks_for_headers"


class HeadRequests:
    """Asks the application as if for GET; the server, which knows better, sends no content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        asks_for_headers = scope["type"] == "http" and scope["method"] == "HEAD"
        await self._app({**scope, "method": "GET", _MARK: True} if asks_for_headers else scope, receive, send)


def is_head(request: Request) -> bool:
    """Whether only the headers are sent: then other effects of a GET, such as an export's audit row, are left out."""
    return _MARK in request.scope
