"""What tests of the console share: accounts, a signed-in client, and a line with photographs to look at."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import httpx2
from anyio.from_thread import BlockingPortal
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import insert

from db.console.api.fields import PREFIX
from db.console.app import make_app, make_console
from db.console.context import Console
from db.console.settings import ConsoleSettings
from db.engine.database import Database
from db.people import tokens
from db.schema.column_words import PERSON_ROLES, PersonRole
from db.schema.tables import Accounts
from tests.forked_commands import start_command
from tests.support import wait_until
from worker.embedded.redis_server import free_port

PASSWORD = "a password of the tests"
ORIGIN = "http://testserver"
PEOPLE: dict[str, PersonRole] = {f"the {role}": role for role in PERSON_ROLES}


def add_people(database: Database, people: Mapping[str, PersonRole] = PEOPLE) -> None:
    """An account with `PASSWORD` for each name; one for each role, named by it, unless others are given."""
    with database.transaction() as session:
        for name, role in people.items():
            values = {"name": name, "role": role, "password": _hash(), "created_at": datetime.now(UTC)}
            session.execute(insert(Accounts).values(values))


LEAST_EFFORT = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""As the console hashes, but for who does not ask how long that takes."""


@cache
def _hash() -> str:
    """As the console keeps it; whoever signs in is spared the effort too."""
    return LEAST_EFFORT.hash(PASSWORD)


def console_on(url: str, folder: Path, **changes: Any) -> Console:
    """A console on a database, its photographs below a folder."""
    settings = ConsoleSettings(data=folder, database_url=url, images=str(folder / "images"), **changes)
    return make_console(settings)


@cache
def _portal() -> BlockingPortal:
    """The event loop in which all consoles of this process answer; one for each request costs half as much again."""
    opened: Future[BlockingPortal] = Future()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            opened.set_result(portal)
            await portal.sleep_until_stopped()

    Thread(target=lambda: anyio.run(serve), daemon=True).start()
    return opened.result(30)


class _InThisProcess(httpx2.BaseTransport):
    """Asks an application once for its whole answer.

    Starlette's test client calls into the event loop eight times a request, which takes longer than many answers.
    """

    def __init__(self, app: FastAPI, address: str):
        self._asgi = httpx2.ASGITransport(app, client=(address, 50_000))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.stream = _Sent(request.stream)
        return _portal().call(self._answer, request)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._asgi.handle_async_request(request)
        body = b"".join([part async for part in answer.stream])
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)


class _Sent(httpx2.AsyncByteStream):
    """A request's body, part by part."""

    def __init__(self, parts: Any):
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


class Client(httpx2.Client):
    """A client of a console's application in this process. An error that no handler knows is raised by the request."""

    def __init__(self, console: Console, address: str = "testclient"):
        self.app = make_app(console)
        super().__init__(transport=_InThisProcess(self.app, address), base_url=ORIGIN)


class Browser:
    """A client of a console, with what a page would send along."""

    def __init__(self, console: Console, address: str = "testclient") -> None:
        self.client = Client(console, address)
        self.client.headers["Accept"] = "text/html"

    def sign_in(self, name: str, password: str = PASSWORD, origin: str = ORIGIN) -> Any:
        form = {"name": name, "password": password}
        return self.client.post("/login", data=form, headers={"Origin": origin})

    @property
    def csrf(self) -> str:
        """The token in the page, as a script reads it."""
        return self.client.get("/replace").text.partition('name="csrf" content="')[2].partition('"')[0]

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Any:
        sent = {"Origin": ORIGIN, "X-CSRF-Token": self.csrf, **headers}
        return self.client.post(path, data=form or {}, headers=sent)


class Program:
    """A client of a console's API that shows a token, where it has one."""

    def __init__(self, console: Console, token: str | None = None) -> None:
        self.client = Client(console)
        if token is not None:
            self.client.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **asked: Any) -> Any:
        headers = asked.pop("headers", None)
        return self.client.get(f"{PREFIX}/{path}", params=asked or None, headers=headers)

    def post(self, path: str, value: Any, **headers: str) -> Any:
        return self.client.post(f"{PREFIX}/{path}", json=value, headers=headers)

    def delete(self, path: str) -> Any:
        return self.client.delete(f"{PREFIX}/{path}")


def token_of(console: Console, account: str, name: str = "a program", days: float | None = None) -> str:
    """A new token of an account."""
    now = datetime.now(UTC)
    with console.database.transaction() as session:
        return tokens.add(session, account, name, now, None if days is None else now + timedelta(days=days))


@contextmanager
def served(console: Console) -> Iterator[int]:
    """A console on the same database and photographs as a process of its own, as it is run; its port."""
    port, settings = free_port(), console.settings
    environment = os.environ | {"INSERTS_DATA": str(settings.data), "INSERTS_IMAGES": settings.images_root}
    command = ("insert-db", "--database", settings.url, "console", "--port", str(port))
    process = start_command(*command, environment=environment, log=settings.data / "console.log")

    def answers() -> bool:
        assert process.poll() is None, "it has ended"
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, 60, "the console")
        yield port
    finally:
        process.terminate()
        process.wait(30)
