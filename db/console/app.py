"""The application: its pages, and what is answered where one cannot be shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from db.console.access.guard import SignInFirst
from db.console.api.application import make_api
from db.console.api.fields import PREFIX
from db.console.api.problems import RETRY, UNKEEPABLE, note_away
from db.console.context import Console
from db.console.drawing.head_cards import HeadCards
from db.console.head_requests import HeadRequests
from db.console.headers import Headers
from db.console.live.feed import Feed
from db.console.live.pieces import Pieces, begun_now
from db.console.live.register import follow
from db.console.pages import (
    audit,
    checks,
    contact_sheet,
    drift,
    events,
    faults,
    hand_over,
    health,
    language,
    line,
    login,
    models,
    photographs,
    pocket,
    provider_login,
    replace,
    review,
    search,
)
from db.console.reader import reasons
from db.console.reader.languages import locale_of
from db.console.reader.mistakes import mistake
from db.console.reader.moments import WrittenByReader
from db.console.reader.texts import Text
from db.console.rendering import make_templates, page
from db.console.settings import ConsoleSettings
from db.engine.database import Database, DatabaseUnavailable, SchemaOutdated
from db.queries.known_places import NothingKnown
from producer.station.followed_register import FollowedRegister
from producer.station.head_register import HeadRegister
from producer.storage.opening import open_image_store

STATIC: Final = Path(__file__).with_name("static")

MOST_BYTES: Final = 2**20
"""The largest content of a request: labels and notes are small, and the content is read into memory."""

PAGES: Final = (
    line.router,
    review.router,
    contact_sheet.router,
    pocket.router,
    checks.router,
    replace.router,
    search.router,
    faults.router,
    drift.router,
    hand_over.router,
    models.router,
    audit.router,
    photographs.router,
    events.router,
    login.router,
    provider_login.router,
    language.router,
    health.router,
)
"""Every page, in the order of the menu."""


def make_console(settings: ConsoleSettings) -> Console:
    """What the pages need; nothing is connected yet.

    Raises:
        ValueError: the head register, the image store or the database is not named as it should be, or the password
            of the OpenID provider's client cannot be read.
    """
    _ = settings.provider
    database = Database(settings.url)
    feed = Feed(database)
    templates = make_templates()
    return Console(
        settings=settings,
        database=database,
        feed=feed,
        pieces=Pieces(feed),
        images=open_image_store(settings.images_root),
        register=None if settings.heads is None else FollowedRegister(HeadRegister.load(settings.heads)),
        templates=templates,
        cards=HeadCards(templates),
    )


def make_app(console: Console) -> FastAPI:
    """The application of a console."""
    # No pages about the pages: those that FastAPI has come from elsewhere in the network.
    app = FastAPI(
        title="Insert inspection",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        max_body_size=MOST_BYTES,
        lifespan=_running,
    )
    app.state.console = console
    app.add_middleware(HeadRequests)
    app.add_middleware(Headers)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.mount(PREFIX, make_api(console))
    for router in PAGES:
        app.include_router(router)
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(WrittenByReader, _in_iso)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(DatabaseUnavailable, _away)
    app.add_exception_handler(SchemaOutdated, _away)
    app.add_exception_handler(DataError, _in_no_database)
    app.add_exception_handler(NothingKnown, _not_known)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """What goes on while the application answers."""
    console: Console = app.state.console
    following = [] if console.register is None else [asyncio.create_task(follow(console.register, console.feed))]
    try:
        yield
    finally:
        for task in following:
            task.cancel()


def _sign_in_first(_: Request, error: Exception) -> Response:
    to = error.to if isinstance(error, SignInFirst) else None
    return RedirectResponse(to, 303) if to else Response(f"{begun_now()}sign in first", 401, media_type="text/plain")


def _in_iso(_: Request, error: Exception) -> Response:
    return RedirectResponse(error.to if isinstance(error, WrittenByReader) else "/", 303)


def _refused(request: Request, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    # The name of the status is what a library says where it has nothing to say; the page's heading says it.
    return _refusal(request, status, *([] if detail == HTTPStatus(status).phrase else [detail]))


def _not_understood(request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    mistakes = [mistake(problem["loc"], problem["type"], problem.get("ctx", {})) for problem in problems]
    return _refusal(request, 400, *mistakes)


def _in_no_database(request: Request, _: Exception) -> Response:
    return _refusal(request, 400, UNKEEPABLE)


def _not_known(request: Request, error: Exception) -> Response:
    return _refusal(request, 404, str(error))


def _away(request: Request, error: Exception) -> Response:
    note_away(error)
    answer = _refusal(request, 503)
    answer.headers.update(RETRY)
    return answer


def _refusal(request: Request, status: int, *details: str) -> Response:
    """The page that says why not: a text or a reason in the reader's language, anything else unchanged."""
    locale = locale_of(request)
    known = [
        detail.translated(locale) if isinstance(detail, Text) else reasons.translated(locale, detail)
        for detail in details
    ]
    sentences = [
        (detail if words is None else words, words is None) for detail, words in zip(details, known, strict=True)
    ]
    return page(request, "refused.html", status=status, code=status, said=sentences)
