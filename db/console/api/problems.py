"""What the API says when it cannot do something: RFC 9457, whatever went wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from db.console.access.guard import SignInFirst
from db.console.reader.texts import Text
from db.engine.database import DatabaseUnavailable, SchemaOutdated
from db.queries.known_places import NothingKnown

MEDIA_TYPE: Final = "application/problem+json"

UNKEEPABLE: Final = Text("this has a character or a number that no database keeps, so nothing is known of it")
"""What PostgreSQL refuses as a value (the character 0, say) is not in it; SQLite finds nothing."""


RETRY: Final = {"Retry-After": "5"}
"""When to ask again while the database is away, in seconds."""

_log = logging.getLogger(__name__)


def note_away(error: Exception) -> None:
    """Log where the database is that is away or of another version, and why: those who ask may be anybody."""
    _log.warning("%s", error)


class Mistake(BaseModel):
    """One thing that is wrong with a question: where it stands, and what is wrong with it."""

    where: list[str | int] = Field(examples=[["query", "limit"]])
    what: str


class Problem(BaseModel):
    """Why something could not be done (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str
    mistakes: list[Mistake] | None = Field(None, description="With status 400: all that is wrong with the question.")


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, mistakes: Sequence[Mistake] | None = None
) -> Response:
    """The answer that says so."""
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, mistakes=mistakes and list(mistakes)
    )
    return JSONResponse(problem.model_dump(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker: it is called for nothing else
    return problem(error.status_code, error.detail, error.headers)


def _not_understood(_: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    mistakes = [Mistake(where=list(mistake["loc"]), what=mistake["msg"]) for mistake in errors]
    detail = "; ".join(f"{mistake.where[-1]}: {mistake.what}" for mistake in mistakes)
    return problem(400, detail, mistakes=mistakes)


def _sign_in_first(_: Request, error: Exception) -> Response:
    return problem(401, "send a token (Authorization: Bearer …), or sign in", {"WWW-Authenticate": "Bearer"})


def _away(_: Request, error: Exception) -> Response:
    note_away(error)
    return problem(503, "the database does not answer, or is not of this version: the console's log says more", RETRY)


def _in_no_database(_: Request, error: Exception) -> Response:
    return problem(400, UNKEEPABLE)


def _not_known(_: Request, error: Exception) -> Response:
    return problem(404, str(error))


def _failed(_: Request, error: Exception) -> Response:
    return problem(500, "a fault of the console: its log says more")


HANDLERS: Final[dict[int | type[Exception], Any]] = {
    HTTPException: _refused,
    RequestValidationError: _not_understood,
    SignInFirst: _sign_in_first,
    DatabaseUnavailable: _away,
    SchemaOutdated: _away,
    DataError: _in_no_database,
    NothingKnown: _not_known,
    Exception: _failed,
}
"""What answers each error."""
