"""Begins a session: a row, a line in the audit, and the cookie that the browser keeps."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Request
from fastapi.responses import Response

from db.console.access.guard import cookie_name
from db.console.context import console_of
from db.people import audit, sessions
from db.people.accounts import Account


def begin_session(request: Request, account: Account, answer: Response, **how: str) -> Response:
    """Begin a session of an account; its cookie comes with the answer."""
    console, now = console_of(request), datetime.now(UTC)
    with console.database.transaction() as session:
        token = sessions.begin(session, account.name, now, console.session_limits)
        audit.write(session, at=now, by=account.name, action="signed in", subject=account.name, **how)
    answer.set_cookie(
        cookie_name(console),
        token,
        max_age=round(console.session_limits.longest.total_seconds()),
        secure=console.settings.console_https,
        httponly=True,
        samesite="strict",
    )
    return answer
