"""The plant's own login in front of the console: whom its header names, and from whom it is believed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from db.console.sign_in.throttle import FAILURES
from db.people import accounts, audit
from tests.console_support import Browser, console_on

PROXY = "192.0.2.7"
NAMED = {"X-Plant-User": "the reviewer"}


@pytest.fixture
def behind(console, tmp_path) -> Iterator[Callable[[str], Browser]]:
    """A browser whose requests come from an address."""
    settings = {"console_user_header": "X-Plant-User", "console_proxies": "192.0.2.0/28, ::1"}
    made = console_on(console.settings.url, tmp_path, **settings)
    yield lambda address: Browser(made, address)
    made.database.close()


def test_who_the_proxy_names_is_signed_in_and_the_audit_says_how(console, behind) -> None:
    browser = behind(PROXY)
    begun = browser.get("/login?next=/review", **NAMED)
    assert (begun.status_code, begun.headers["location"]) == (303, "/review")
    assert browser.get("/review", **NAMED).status_code == 200
    assert browser.get("/audit", **NAMED).status_code == 403
    with console.database.reading() as session:
        (entry,) = audit.recent(session)
    assert (entry.by, entry.action, entry.detail) == ("the reviewer", "signed in", {"how": "by a proxy"})


def test_who_asks_for_headers_alone_neither_signs_in_nor_exports(console, behind, signed_in) -> None:
    headed = behind(PROXY).client.head("/login", headers=NAMED)
    assert (headed.status_code, "set-cookie" in headed.headers) == (200, False)
    browser = signed_in("viewer")
    with console.database.reading() as session:
        before = audit.recent(session)
    for path, kind in (("/search.csv", "text/csv"), ("/events", "text/event-stream")):
        answer = browser.client.head(path)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
    with console.database.reading() as session:
        assert audit.recent(session) == before


@pytest.mark.parametrize("address", ["192.0.2.16", "127.0.0.1", "a socket"])
def test_from_elsewhere_the_header_says_nothing(behind, address) -> None:
    browser = behind(address)
    assert browser.get("/login", **NAMED).status_code == 200
    assert browser.get("/review", **NAMED).status_code == 303
    assert browser.sign_in("the viewer").status_code == 303
    assert browser.get("/replace", **NAMED).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        [("X-Plant-User", "the administrator"), ("X-Plant-User", "the reviewer")],
        [("X-Plant-User", "")],
        [("X-Forwarded-User", "the administrator")],
    ],
)
def test_a_header_that_is_not_clear_is_nobody_s(behind, sent) -> None:
    assert behind(PROXY).client.get("/login", headers=sent).status_code == 200


def test_who_has_no_account_or_a_disabled_one_stays_out(console, behind) -> None:
    browser = behind(PROXY)
    assert browser.get("/login", **{"X-Plant-User": "nobody"}).status_code == 403
    with console.database.transaction() as session:
        accounts.disable(session, "the reviewer", datetime.now(UTC))
    assert browser.get("/login", **NAMED).status_code == 403
    assert "set-cookie" not in browser.get("/login", **NAMED).headers


def test_where_the_proxy_names_somebody_else_the_session_is_not_that_one_s(behind) -> None:
    browser = behind(PROXY)
    browser.get("/login", **NAMED)
    other = {"X-Plant-User": "the viewer"}
    assert browser.get("/replace", **other).headers["location"].startswith("/login")
    browser.get("/login", **other)
    assert browser.get("/review", **other).status_code == 403


@pytest.mark.parametrize(
    "settings", [{"console_user_header": "X-User"}, {"console_user_header": "X-User", "console_proxies": "a"}]
)
def test_a_header_without_proxies_is_no_setting(tmp_path, settings) -> None:
    with pytest.raises(ValidationError):
        console_on("sqlite:///none", tmp_path, **settings)


def test_behind_a_proxy_each_is_slowed_down_by_an_address_of_their_own(behind) -> None:
    def tried(browser: Browser, name: str, forwarded: str) -> int:
        form = {"name": name, "password": "wrong password", "next": "/"}
        headers = {"Origin": "http://testserver", "X-Forwarded-For": forwarded}
        return browser.client.post("/login", data=form, headers=headers).status_code

    browser = behind(PROXY)
    # What stands before the address that the proxy adds is what the browser says.
    tries = [tried(browser, f"nobody {number}", f"203.0.113.{number}, 198.51.100.1") for number in range(51)]
    assert tries == [401] * FAILURES["address"] + [429]
    assert tried(browser, "nobody", "198.51.100.2") == 401
    assert tried(browser, "nobody", "198.51.100.1, 192.0.2.8") == 429, "two proxies"
    assert tried(behind("127.0.0.1"), "nobody", "198.51.100.1") == 401, "no proxy: it has an address of its own"
