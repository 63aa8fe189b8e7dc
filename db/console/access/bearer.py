"""Finds the owner of a program's token; wrong tokens are slowed down as wrong passwords are."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from fastapi import HTTPException, Request

from db.console.access.proxy import client_address
from db.console.context import console_of
from db.console.sign_in.throttle import Subject
from db.engine.database import DatabaseUnavailable
from db.people import tokens
from db.people.sessions import Person


def bearer(request: Request, secret: str) -> Person:
    """Whose token it is.

    Raises:
        HTTPException: it is unknown or has ended, perhaps after too many wrong ones. A valid token is accepted whatever
            came from its address: tokens cannot be guessed, and behind a proxy all clients have one address.
    """
    console, now = console_of(request), datetime.now(UTC)
    # By its digest, too: one program that does not stop asking with an ended token does not use up its address.
    of_token: Subject = ("token", tokens.digest_of(secret))
    of_address: Subject = ("address", client_address(request))
    if (seconds := console.token_throttle.wait(of_token)) > 0:
        raise _too_many(seconds)
    with console.database.reading() as session:
        holder = tokens.person_of(session, secret, now)
    if holder is None:
        if (seconds := console.token_throttle.wait(of_address)) > 0:
            raise _too_many(seconds)
        console.token_throttle.failed(of_token, of_address)
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise HTTPException(401, "this token is nobody's, was revoked, or has ended", challenge)
    person, to_note = holder
    if to_note:
        with suppress(DatabaseUnavailable), console.database.transaction(synced=False) as session:
            tokens.used(session, person.digest, now)
    return person


def _too_many(seconds: float) -> HTTPException:
    return HTTPException(429, "too many wrong tokens", {"Retry-After": str(round(seconds) + 1)})
