"""The headers of every answer: what a browser may do with a page, and with what it loads."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.console.edition import edition

POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Everything comes from the console itself: no script or style within a page, none from elsewhere."""

ANSWERED_BY: Final = "X-Answered-By"
"""Its presence tells a script that the console itself has answered, and not a proxy in front of one that is gone; its
last word which edition of the pages it has."""

ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Headers:
    """Adds these headers to each answer; a browser caches no answer that does not allow it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._always = ALWAYS | {ANSWERED_BY: f"inserts-console {edition()}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._always)
                # A style or script is asked for again with each page, and answered by a line where it is the same.
                kept = "no-cache" if scope["path"].startswith("/static/") else "no-store"
                headers.setdefault("Cache-Control", kept)
            await send(message)

        await self._app(scope, receive, with_headers)
