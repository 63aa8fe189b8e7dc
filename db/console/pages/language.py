"""`/language`: in which language this browser gets the console from now on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from db.console.access.guard import check_origin, inside
from db.console.context import console_of
from db.console.reader.languages import COOKIE, LANGUAGES
from db.console.reader.texts import Text

router = APIRouter()

_KEPT_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep a cookie."""


@router.post("/language")
def choose(request: Request, language: Annotated[str, Form()], next: Annotated[str, Form()] = "/") -> Response:
    """Keep the choice in the browser, with or without an account: the login page too must be readable.

    Raises:
        HTTPException: there is no such language, or another site asks for it.
    """
    check_origin(request)
    if language not in LANGUAGES:
        raise HTTPException(
            400, Text("%(given)r is no language of the console: %(known)s", given=language, known=", ".join(LANGUAGES))
        )
    answer = RedirectResponse(inside(next), 303)
    secure = console_of(request).settings.console_https
    answer.set_cookie(COOKIE, language, max_age=_KEPT_SECONDS, secure=secure, httponly=True, samesite="lax")
    return answer
