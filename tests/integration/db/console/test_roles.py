"""Every route against the tables in docs/security.md, and against each role: pages and API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from db.console.access.guard import May, MayAsk, MayWatch
from db.console.api.fields import PREFIX
from db.console.app import make_app
from db.people.rights import ROLE_FOR
from db.schema.column_words import PERSON_ROLES
from tests.console_support import ORIGIN, Browser, Program, console_on, token_of

TEXT = (Path(__file__).parents[4] / "docs" / "security.md").read_text(encoding="utf-8")


class Route(NamedTuple):
    method: str
    path: str
    guard: May | None

    @property
    def word(self) -> str:
        if self.guard is None:
            return "everybody"
        if isinstance(self.guard, MayWatch):
            return "everybody, if `INSERTS_CONSOLE_OPEN_BOARD` is set; else a viewer"
        return ROLE_FOR[self.guard.right]


def routes_of(routes: Iterable, prefix: str = "") -> Iterator[Route]:
    """All routes of an application, also those of what is mounted in it or included."""
    for route in routes:
        if isinstance(route, APIRoute):
            for method in route.methods:
                yield Route(method, prefix + route.path, guard_of(route))
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from routes_of(route.app.routes, prefix + route.path)
        elif isinstance(route, Mount):
            yield Route("GET", f"{prefix}{route.path}/{{file}}", None)
        else:
            yield from routes_of(route.original_router.routes, prefix)


def guard_of(route: APIRoute) -> May | None:
    guards = [each.call for each in route.dependant.dependencies if isinstance(each.call, May)]
    assert len(guards) <= 1
    return guards[0] if guards else None


def named_in_tables() -> dict[tuple[str, str], str]:
    tables = re.findall(r"^\| role \| may ask (?:the API )?for \|\n(.*?)\n\n", TEXT, re.MULTILINE | re.DOTALL)
    assert len(tables) == 2
    found: dict[tuple[str, str], str] = {}
    for row in (row for table in tables for row in table.splitlines()[1:]):
        role, routes = row.strip("| ").split(" | ")
        for method, path in re.findall(r"`([A-Z]+) ([^`]+)`", routes):
            assert (method, path) not in found
            found[method, path] = role
    return found


def test_a_route_is_for_the_role_that_the_tables_say(tmp_path) -> None:
    routes = list(routes_of(make_app(console_on("sqlite:///none", tmp_path)).routes))
    assert {(route.method, route.path): route.word for route in routes} == named_in_tables()
    assert all(isinstance(route.guard, MayAsk) == route.path.startswith(PREFIX) for route in routes)
    assert len(routes) > 30


SOME = {
    "capture_id": "0192f0c4-0000-7000-8000-000000000000",
    "size": "small",
    "check_id": "0192f0c4-0000-7000-8000-000000000001",
}


@pytest.mark.parametrize("who", ["nobody", *PERSON_ROLES])
def test_nobody_gets_further_than_the_role_allows(console, who) -> None:
    browser = Browser(console)
    csrf = ""
    if who != "nobody":
        browser.sign_in(f"the {who}")
        csrf = browser.csrf
    sent = {"Origin": ORIGIN, "X-CSRF-Token": csrf}
    routes = routes_of(browser.client.app.routes)
    for route in sorted(routes, key=lambda each: each.path == "/logout"):  # the end of it last
        # Some lead to nothing, which who may ask for it hears; a stream has no end, and the same guard as the board.
        path = re.sub(r"\{(\w+)\}", lambda found: SOME.get(found[1], "x"), route.path)
        if route.guard is not None and path != "/events":
            answers(browser.client.request(route.method, path, headers=sent), who, route, by_token=False)


@pytest.mark.parametrize("who", PERSON_ROLES)
def test_nor_does_a_token_of_that_role(console, who) -> None:
    client = Program(console, token_of(console, f"the {who}")).client
    for route in routes_of(client.app.routes):
        path = re.sub(r"\{(\w+)\}", lambda found: SOME.get(found[1], "x"), route.path)
        if route.guard is not None and path != "/events":
            answers(client.request(route.method, path), who, route, by_token=True)


def answers(answer, who: str, route: Route, *, by_token: bool) -> None:
    """What was answered is what the route's role and who asked lead to."""
    is_api, rank = route.path.startswith(PREFIX), -1 if who == "nobody" else PERSON_ROLES.index(who)
    if by_token and not is_api:
        assert answer.status_code == 401, route
    elif who == "nobody" and is_api:
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), route
    elif who == "nobody":
        assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), route
    elif rank < PERSON_ROLES.index(ROLE_FOR[route.guard.right]):
        assert answer.status_code == 403, route
        assert ROLE_FOR[route.guard.right] in answer.text
    else:
        assert answer.status_code in (200, 303, 400, 404), route


def test_every_answer_has_the_headers_that_keep_a_page_to_itself(console) -> None:
    browser = Browser(console)
    for path in ("/login", "/", "/static/console.css", "/no-such-page", "/health"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "cache-control" in headers


def test_nothing_describes_the_routes_to_strangers(console) -> None:
    browser = Browser(console)
    assert {browser.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}
    assert {browser.get(f"{PREFIX}/{path}").status_code for path in ("docs", "redoc")} == {404}
    assert browser.get(f"{PREFIX}/openapi.json").status_code == 401
