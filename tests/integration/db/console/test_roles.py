"""Every route against the table in docs/security.md, and against each role."""

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from db.console.access.guard import May, MayWatch
from db.console.app import PAGES
from db.schema.vocabulary import PERSON_ROLES
from tests.console_support import ORIGIN, Browser

TEXT = (Path(__file__).parents[4] / "docs" / "security.md").read_text(encoding="utf-8")
ROUTES = [
    (method, route)
    for router in PAGES
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
]


def guard_of(route: APIRoute) -> May | None:
    guards = [each.call for each in route.dependant.dependencies if isinstance(each.call, May)]
    assert len(guards) <= 1
    return guards[0] if guards else None


def named_in_table() -> dict[tuple[str, str], str]:
    table = re.search(r"^\| role \| may ask for \|\n(.*?)\n\n", TEXT, re.MULTILINE | re.DOTALL)
    assert table is not None
    found: dict[tuple[str, str], str] = {}
    for row in table[1].splitlines()[1:]:
        role, routes = row.strip("| ").split(" | ")
        for method, path in re.findall(r"`(GET|POST) ([^`]+)`", routes):
            assert (method, path) not in found
            found[method, path] = role
    return found


def word(route: APIRoute) -> str:
    guard = guard_of(route)
    if guard is None:
        return "everybody"
    return (
        "everybody, if `INSERTS_CONSOLE_OPEN_BOARD` is set; else a viewer"
        if isinstance(guard, MayWatch)
        else guard.role
    )


def test_a_route_is_for_the_role_that_the_table_says() -> None:
    assert {(method, route.path): word(route) for method, route in ROUTES} == named_in_table()
    assert len(ROUTES) > 15


@pytest.mark.parametrize("who", ["nobody", *PERSON_ROLES])
def test_nobody_gets_further_than_the_role_allows(console, who) -> None:
    browser = Browser(console)
    csrf = ""
    if who != "nobody":
        browser.sign_in(f"the {who}")
        csrf = browser.csrf
    rank = -1 if who == "nobody" else PERSON_ROLES.index(who)
    for method, route in sorted(ROUTES, key=lambda each: each[1].path == "/logout"):  # the end of it last
        guard = guard_of(route)
        if guard is None or route.path == "/events":  # a stream without an end: the same guard as the board's
            continue
        path = route.path.format(capture_id="0192f0c4-0000-7000-8000-000000000000", size="small")
        answer = browser.client.request(method, path, headers={"Origin": ORIGIN, "X-CSRF-Token": csrf})
        if who == "nobody":
            assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), path
        elif rank < PERSON_ROLES.index(guard.role):
            assert answer.status_code == 403, path
            assert guard.role in answer.text
        else:
            assert answer.status_code in (200, 303, 400, 404), path


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
