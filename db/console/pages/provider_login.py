"""`/login/provider`: signing in at the plant's OpenID provider, and coming back from there."""

from __future__ import annotations

import hmac
import logging
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from db.console.access.guard import inside
from db.console.access.proxy import client_address
from db.console.access.session_cookie import begin_session
from db.console.context import Console, console_of
from db.console.reader.texts import Text
from db.console.rendering import page
from db.console.sign_in.provider import Attempt, NotBelieved, Provider, ProviderAway, answered, asking
from db.console.sign_in.throttle import Subject
from db.people import provided_accounts
from db.people.accounts import Account

router = APIRouter()

BACK: Final = "/login/provider/back"
"""Where the provider sends a browser after a person has signed in there."""

_MINUTES: Final = 15
"""Minutes that signing in at the provider may take."""

_log = logging.getLogger(__name__)


@router.get("/login/provider")
def leave(request: Request, next: str = "/") -> Response:
    """Lead to the provider; a cookie waits for the answer."""
    provider, attempt = _provider(request), Attempt.new()
    try:
        answer = RedirectResponse(asking(provider, attempt, _back(request)), 303)
    except ProviderAway as error:
        raise _away(error) from error
    console = console_of(request)
    # Lax, since it has to come along from the provider's site; a session's own cookie never does.
    answer.set_cookie(
        _cookie(console),
        f"{attempt.secret}{quote(inside(next), safe='')}",
        max_age=_MINUTES * 60,
        secure=console.settings.console_https,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(BACK)
def come_back(request: Request, code: str = "", state: str = "", error: str = "", iss: str = "") -> Response:
    """Begin a session of who signed in at the provider, or say why not."""
    provider, console = _provider(request), console_of(request)
    by_address: Subject = ("address", client_address(request))
    if (seconds := console.provider_throttle.wait(by_address)) > 0:
        raise HTTPException(
            429, Text("too many tries failed: wait some minutes"), {"Retry-After": str(round(seconds) + 1)}
        )
    attempt, next = _attempt(request)
    is_of_browser = attempt is not None and hmac.compare_digest(state.encode(), attempt.state.encode())
    try:
        if attempt is None or not is_of_browser:
            raise NotBelieved(Text("this is no answer to a question of this browser, or it came too late"))
        if error or not code:
            raise NotBelieved(
                Text("the provider says %(what)s", what=error) if error else Text("the provider says nothing")
            )
        if iss not in ("", provider.issuer):
            raise NotBelieved(Text("another provider answers"))
        account = _account(console, provider, attempt, code, _back(request))
    except NotBelieved as why:
        if is_of_browser:  # any page can have a browser ask with another one: nothing is to be guessed there
            console.provider_throttle.failed(by_address)
        _log.warning("a sign-in at the OpenID provider was refused: %s", why)
        refused = HTTPException(403, Text("the sign-in at the plant's login is not valid: %(why)s", why=why.args[0]))
        raise refused from why
    except ProviderAway as why:
        raise _away(why) from why
    # A page of its own, and no redirect: a browser that comes from another site sends the new cookie with its next
    # request only where a page of this one asks for that.
    answer = begin_session(request, account, page(request, "signed_in.html", next=next), how="by OpenID Connect")
    answer.delete_cookie(_cookie(console), secure=console.settings.console_https, httponly=True, samesite="lax")
    return answer


def _account(console: Console, provider: Provider, attempt: Attempt, code: str, back: str) -> Account:
    who = answered(provider, attempt, code, back)
    try:
        with console.database.transaction() as session:
            return provided_accounts.signed_in(
                session, issuer=provider.issuer, subject=who.subject, name=who.name, role=who.role, at=datetime.now(UTC)
            )
    except LookupError as error:
        raise NotBelieved(Text("the account %(name)r is disabled", name=who.name)) from error
    except ValueError as error:
        taken = Text("somebody else has an account %(name)r here, or it can be nobody's name", name=who.name)
        raise NotBelieved(taken) from error


def _provider(request: Request) -> Provider:
    provider = console_of(request).settings.provider
    if provider is None:
        raise HTTPException(404, Text("there is no such login here"))
    return provider


def _attempt(request: Request) -> tuple[Attempt | None, str]:
    """The sign-in that this browser has begun, and where it wanted to go."""
    kept = request.cookies.get(_cookie(console_of(request)), "")
    secret, next = kept[:_SECRET], kept[_SECRET:]
    return (Attempt(secret) if len(secret) == _SECRET else None), inside(unquote(next) or "/")


def _back(request: Request) -> str:
    """The address of `come_back`, as the browser reaches it: the provider compares it with its registered addresses."""
    scheme = "https" if console_of(request).settings.console_https else "http"
    return f"{scheme}://{request.headers.get('Host', '')}{BACK}"


def _cookie(console: Console) -> str:
    return "__Host-inserts-provider" if console.settings.console_https else "inserts-provider"


def _away(error: ProviderAway) -> HTTPException:
    _log.warning("the OpenID provider: %s", error)
    return HTTPException(502, Text("the plant's login does not answer: sign in with a password, or later"))


_SECRET: Final = len(Attempt.new().secret)
