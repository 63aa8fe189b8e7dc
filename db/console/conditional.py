"""Answers that need not be sent again: each has an `ETag`, and a client that has it already gets a 304 (RFC 9110)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

KEPT: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
"""The client may keep an answer, and then asks each time whether it is still valid."""


class ConditionalRoute(APIRoute):
    """A route whose answers to GET have an `ETag`, made of the answer itself where it has none."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()

        async def answer_or_not(request: Request) -> Response:
            response = await answer(request)
            if request.method != "GET" or response.status_code != 200:
                return response
            tag = response.headers.setdefault("ETag", f'"{hashlib.sha256(response.body).hexdigest()[:32]}"')
            for name, value in KEPT.items():
                response.headers.setdefault(name, value)
            if not is_known(request, tag):
                return response
            headers = {name: response.headers[name] for name in ("ETag", *KEPT)}
            return Response(status_code=304, headers=headers)

        return answer_or_not


def is_known(request: Request, tag: str) -> bool:
    """Whether who asks has the answer with that `ETag`, by the weak comparison, as a GET is answered."""
    known = [sent.strip().removeprefix("W/") for sent in request.headers.get("If-None-Match", "").split(",")]
    return tag.removeprefix("W/") in known or known == ["*"]
