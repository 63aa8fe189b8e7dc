"""Admits a request by its session, its right (`db.people.rights`) and, for a change, the page that it came from."""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from db.console.access.bearer import bearer
from db.console.access.proxy import named_by_proxy
from db.console.context import Console, console_of
from db.console.reader.texts import Text
from db.engine.database import DatabaseUnavailable
from db.people import sessions
from db.people.rights import ROLE_FOR, Right, may
from db.people.sessions import Person

_READS: Final = ("GET", "HEAD")


class SignInFirst(Exception):
    """No person is signed in, or no longer; `to` is where a browser can be sent, None if a script asked."""

    def __init__(self, to: str | None) -> None:
        super().__init__("sign in first")
        self.to = to


class May:
    """A dependency that admits a signed-in person with a right, and passes the person to the page."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Person:
        """Let a request in.

        Raises:
            SignInFirst: no person is signed in.
            HTTPException: the person's role may not do this, or another site asks for it.
        """
        person = await self._who(request)
        if person is None:
            raise SignInFirst(_login_page(request))
        if not may(person.role, self.right):
            roles = {"role": Text(ROLE_FOR[self.right]), "has": Text(person.role)}
            raise HTTPException(
                403, Text("this needs the role %(role)s; %(name)s is %(has)s", name=person.name, **roles)
            )
        # A token is sent by a program on purpose, a cookie by a browser whatever page asks for it.
        if request.method not in _READS and person.token is None:
            check_origin(request)
            token = request.headers.get("X-CSRF-Token") or str((await request.form()).get("csrf", ""))
            if not hmac.compare_digest(token.encode(), person.csrf.encode()):
                raise HTTPException(403, Text("this form is of another session: load the page again"))
        request.state.person = person
        return person

    async def _who(self, request: Request) -> Person | None:
        console = console_of(request)
        person = await run_in_threadpool(_person, console, request.cookies.get(cookie_name(console)))
        # At a proxy somebody else may have signed in meanwhile, in the same browser.
        named = named_by_proxy(request)
        return person if person is None or named in (None, person.name) else None


class MayAsk(May):
    """As `May`, also for a program with a token; a token decides who it is, whatever cookie comes with it."""

    async def _who(self, request: Request) -> Person | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return await super()._who(request)
        return await run_in_threadpool(bearer, request, secret.strip())


class MayWatch(May):
    """As `May` for a viewer; admits everybody if the board is open (`INSERTS_CONSOLE_OPEN_BOARD`)."""

    def __init__(self) -> None:
        super().__init__("see")

    async def __call__(self, request: Request) -> Person | None:  # type: ignore[override]
        """Let a request in.

        Raises:
            SignInFirst: no person is signed in, and the board is not open.
        """
        if not console_of(request).settings.console_open_board:
            return await super().__call__(request)
        person = await self._who(request)  # who is signed in all the same sees what leads further
        request.state.person = person
        return person


Viewer = Annotated[Person, Depends(May("see"))]
Labeller = Annotated[Person, Depends(May("label photographs"))]
Fitter = Annotated[Person, Depends(May("tell insert changes"))]
FaultReader = Annotated[Person, Depends(May("note faults as seen"))]
FaultSettler = Annotated[Person, Depends(May("settle faults"))]
DriftJudge = Annotated[Person, Depends(May("accept drift"))]
ModelChooser = Annotated[Person, Depends(May("choose models"))]
Auditor = Annotated[Person, Depends(May("read the audit"))]
ApiViewer = Annotated[Person, Depends(MayAsk("see"))]
ApiLabeller = Annotated[Person, Depends(MayAsk("label photographs"))]
ApiFitter = Annotated[Person, Depends(MayAsk("tell insert changes"))]
ApiModelChooser = Annotated[Person, Depends(MayAsk("choose models"))]
Watcher = Annotated[Person | None, Depends(MayWatch())]


def cookie_name(console: Console) -> str:
    """The session's cookie; over HTTPS browsers hold the prefix's promises: this host alone, never in the clear."""
    return "__Host-inserts" if console.settings.console_https else "inserts"


def check_origin(request: Request) -> None:
    """Make sure that a change was asked for by a page of this console.

    Raises:
        HTTPException: another site's page asks, or the browser does not say.
    """
    if _of_here(request, request.headers.get("Origin", "")) is None:
        raise HTTPException(403, Text("this was asked for by a page of another site"))


def inside(address: str) -> str:
    """An address within the console: whatever leads elsewhere is its first page."""
    within = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if within and "\\" not in address else "/"


def _person(console: Console, token: str | None) -> Person | None:
    if not token:
        return None
    now, limits = datetime.now(UTC), console.session_limits
    with console.database.reading() as session:
        holder = sessions.person_of(session, token, now, limits)
    if holder is None:
        return None
    person, to_note = holder
    if to_note:
        # Where nothing can be written, as on a full disk, the pages are there all the same; the session ends earlier.
        with suppress(DatabaseUnavailable), console.database.transaction(synced=False) as session:
            sessions.seen(session, person.digest, now)
    return person


def _login_page(request: Request) -> str | None:
    if "text/html" not in request.headers.get("Accept", ""):
        return None
    # A form is not sent again unseen: after the login the page that it was on is there, as it is now.
    asked_on = str(request.url) if request.method in _READS else request.headers.get("Referer", "")
    wanted = inside(_of_here(request, asked_on) or "/")
    return "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}"


def _of_here(request: Request, address: str) -> str | None:
    """Path and query of an address of this console; None where it is of any other host, or no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    here = bool(parts.netloc) and parts.netloc == request.headers.get("Host")
    return parts.path + (f"?{parts.query}" if parts.query else "") if here else None
