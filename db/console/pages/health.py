"""`/health`: whether the console can answer, for the checks of containers and supervisors."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from db.console.context import console_of

router = APIRouter()


@router.get("/health")
def health(request: Request) -> PlainTextResponse:
    """`ok`, once the database has answered; 503 while it does not."""
    console_of(request).database.check_schema()
    return PlainTextResponse("ok\n")
