"""`/login` and `/logout`: a session begins and ends."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from db.console.access.guard import Viewer, check_origin, cookie_name, inside
from db.console.access.proxy import client_address, named_by_proxy
from db.console.access.session_cookie import begin_session
from db.console.context import console_of
from db.console.head_requests import is_head
from db.console.reader.texts import Text
from db.console.rendering import page
from db.console.sign_in.throttle import Subject
from db.people import accounts, audit, sessions

router = APIRouter()


@router.get("/login")
def ask(request: Request, next: str = "/") -> Response:
    """The form; who is named by a proxy of the plant has signed in there."""
    named = named_by_proxy(request)
    if named is None or is_head(request):
        return _form(request, next, None)
    with console_of(request).database.reading() as session:
        account = accounts.enabled(session, named)
    if account is None:
        raise HTTPException(403, Text("%(name)s has no account here that may sign in", name=named))
    return begin_session(request, account, RedirectResponse(inside(next), 303), how="by a proxy")


@router.post("/login")
async def sign_in(
    request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()], next: Annotated[str, Form()] = "/"
) -> Response:
    """Begin a session, or say why not; a wrong name and a wrong password are the same."""
    check_origin(request)
    async with console_of(request).passwords:
        return await run_in_threadpool(_signed_in, request, name, password, next)


def _signed_in(request: Request, name: str, password: str, next: str) -> Response:
    console = console_of(request)
    name = unicodedata.normalize("NFC", name.strip())
    by_name: Subject = ("name", name)
    by_address: Subject = ("address", client_address(request))
    if (seconds := console.throttle.begin(by_name, by_address)) > 0:
        refused = _form(request, next, "throttled", 429)
        refused.headers["Retry-After"] = str(round(seconds) + 1)
        return refused
    try:
        with console.database.reading() as session:
            account = accounts.signed_in(session, name, password)
    except BaseException:
        console.throttle.take_back(by_name, by_address)
        raise
    if account is None:
        console.throttle.failed(by_name, by_address)
        return _form(request, next, "wrong", 401)
    console.throttle.succeeded(by_name, by_address)
    return begin_session(request, account, RedirectResponse(inside(next), 303))


@router.post("/logout")
def sign_out(request: Request, person: Viewer) -> Response:
    """End the session, here and in the browser."""
    console = console_of(request)
    with console.database.transaction() as session:
        sessions.end(session, person.digest)
        audit.write(session, at=datetime.now(UTC), by=person.name, action="signed out", subject=person.name)
    answer = RedirectResponse("/login", 303)
    answer.headers["Clear-Site-Data"] = '"cache"'  # photographs may be kept for an hour, also on a shared computer
    answer.delete_cookie(cookie_name(console), secure=console.settings.console_https, httponly=True, samesite="strict")
    return answer


def _form(request: Request, next: str, problem: str | None, status: int = 200) -> Response:
    provider = console_of(request).settings.provider is not None
    return page(request, "login.html", status=status, next=inside(next), problem=problem, provider=provider)
