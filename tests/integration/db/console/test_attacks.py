"""What an attacker would try first, beside `test_access` and `test_photographs`: docs/security.md lists it all."""

import http.client
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html.parser import HTMLParser
from threading import Event
from urllib.parse import quote, urlencode

import pytest

from db.console.app import MOST_BYTES
from db.console.context import PASSWORDS_AT_ONCE
from db.console.sign_in.throttle import FAILURES
from db.learning import model_registry
from db.line import faults, insert_changes, verdicts
from db.people import accounts, audit
from tests.console_support import ORIGIN, PASSWORD, Browser, Program, served, token_of
from tests.support import wait_until

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"--></title>{{7*7}}"

THREADS = 40
"""In which all pages are made (anyio's default)."""


class Elements(HTMLParser):
    """The elements and attributes of a page that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts, self.attributes = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.attributes.update(name for name, _ in attrs)
        if tag == "script":
            self.scripts.append(dict(attrs).get("src"))


def test_markup_in_names_and_notes_stays_text_on_every_page(line, console, signed_in) -> None:
    """No station can send such names (`producer.contract.names`); a compromised worker can write them."""
    model = MARKUP[:60].replace("/", "")
    place = {"machine": MARKUP[:60], "head": MARKUP[:60]}
    capture = line.see(
        1, 0, "unsure", **place, operation=MARKUP[:60], station=MARKUP[:60], insert_designation=MARKUP[:40]
    )
    damaged = line.see(2, 0, **place).capture_id
    with console.database.transaction() as session:
        verdicts.record(session, line.verdict(damaged, "damaged", label=MARKUP[:40], reason=MARKUP))
    line.say(capture, "damaged", by=MARKUP, note=MARKUP)
    line.model(model, backbone=MARKUP)
    with console.database.transaction() as session:
        insert_changes.record(session, *place.values(), 1, by=MARKUP, at=datetime.now(UTC))
        text = {"station": MARKUP, "reason": MARKUP[:60], "detail": MARKUP, "event": MARKUP}
        faults.record(session, capture_id=None, check_id=None, pocket=1, at=datetime.now(UTC), **text)
        audit.write(session, at=datetime.now(UTC), by=MARKUP, action=MARKUP[:32], subject=MARKUP, note=MARKUP)
        model_registry.promote(session, model, by=MARKUP, reason=MARKUP, at=datetime.now(UTC))
    browser = signed_in("administrator")
    where = urlencode({**place, "pocket": 1})
    pages = (
        "/",
        "/board",
        "/checks",
        "/replace",
        "/search",
        f"/pocket?{where}",
        "/audit",
        "/line/heads",
        "/line/faults",
        "/faults",
        f"/sheet?{where}",
        "/handover?since=2026-01-01",
        "/models",
        f"/models/{quote(model)}",
    )
    seen = 0
    for path in pages:
        text = browser.get(path).text
        assert "<script>alert" not in text, path
        elements = Elements(text)
        assert all(source.startswith("/static/") for source in elements.scripts), path
        assert not any(name.startswith("on") for name in elements.attributes), path
        seen += "&lt;script&gt;" in text
    assert seen >= 13
    for path in ("verdicts", "reviews", "replace", "checks"):
        answer = browser.get(f"/api/v1/{path}")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_asked_for_comes_back_as_text(signed_in) -> None:
    browser = signed_in("viewer")
    for path in ("/search?machine=", "/checks?state=", "/search?outcome=", "/pocket?head=x&pocket=1&machine=", "/"):
        text = browser.get(path + quote(MARKUP)).text
        assert "<script>alert" not in text
        assert "onerror=alert(2)>" not in text


def test_a_session_that_was_laid_under_a_browser_is_not_the_one_it_signs_in_to(console) -> None:
    attacker, victim = Browser(console), Browser(console)
    laid = attacker.sign_in("the viewer").headers["set-cookie"].partition(";")[0]
    form = {"name": "the administrator", "password": PASSWORD}
    begun = victim.client.post("/login", data=form, headers={"Origin": ORIGIN, "Cookie": laid})
    assert laid not in begun.headers["set-cookie"]
    assert victim.get("/audit").status_code == 200
    assert attacker.get("/audit").status_code == 403
    # Nor one that the attacker made up.
    made_up = {"Cookie": "inserts=made-up", "Accept": "text/html"}
    assert Browser(console).client.get("/replace", headers=made_up).status_code == 303


@pytest.mark.parametrize(
    "next",
    ["javascript:alert(1)", "http:evil.example", "/\t/evil.example", "\\\\evil.example", "/a\r\nSet-Cookie: a=b"],
)
def test_the_login_s_address_leads_nowhere_else(console, next) -> None:
    browser = Browser(console)
    form = {"name": "the viewer", "password": PASSWORD, "next": next}
    answer = browser.client.post("/login", data=form, headers={"Origin": ORIGIN})
    assert answer.headers["location"] == "/"
    shown = browser.get(f"/login?next={quote(next)}").text
    assert re.search(r'name="next"[^>]*value="/"', shown)


@pytest.mark.parametrize("path", ["/login", "/review/label", "/api/v1/reviews"])
def test_what_is_far_too_large_is_not_read(signed_in, path) -> None:
    browser = signed_in("reviewer")
    kinds = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN, "X-CSRF-Token": browser.csrf}
    headers = kinds | ({"Content-Type": "application/json"} if path.startswith("/api") else {})
    assert browser.client.post(path, content=b"x" * (MOST_BYTES + 1), headers=headers).status_code == 413
    without_length = (b"x" * 2**16 for _ in range(100))
    assert browser.client.post(path, content=without_length, headers=headers).status_code == 413


def test_a_token_in_an_address_is_none(console) -> None:
    secret = token_of(console, "the viewer")
    for name in ("token", "access_token"):
        assert Program(console).get("verdicts", **{name: secret}).status_code == 401


def ask(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    told = answer.status, answer.headers.get("Location", "")
    connection.close()
    return told


SPOOFED = {
    "X_Forwarded_For": "192.0.2.1",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Prefix": "/evil",
    "X_Real_IP": "192.0.2.1",
    "Forwarded": "for=192.0.2.1;host=evil.example",
    "X_Remote_User": "the administrator",
    "Remote_User": "the administrator",
    "X_Forwarded_User": "the administrator",
    "X_Original_URL": "/login",
    "X_HTTP_Method_Override": "GET",
}


def test_no_header_says_who_asks_or_from_where(console) -> None:
    form = urlencode({"name": "the viewer", "password": PASSWORD})
    with served(console) as port:
        here = f"127.0.0.1:{port}"
        assert ask(port, "GET", "/audit", **SPOOFED, Accept="text/html") == (303, "/login?next=%2Faudit")
        assert ask(port, "GET", "/api/v1/verdicts", **SPOOFED)[0] == 401
        # Another site's page, which says that it is the console's.
        forwarded = {"X_Forwarded_Host": "evil.example", "Content_Type": "application/x-www-form-urlencoded"}
        assert ask(port, "POST", "/login", form, Origin="http://evil.example", **forwarded)[0] == 403
        assert ask(port, "POST", "/login", form, Origin=f"http://{here}", **forwarded) == (303, "/")
        # Another address with each try.
        tries = [
            ask(
                port,
                "GET",
                "/api/v1/verdicts",
                X_Forwarded_For=f"192.0.2.{number}",
                Authorization=f"Bearer inserts_{number}",
            )[0]
            for number in range(FAILURES["address"] + 1)
        ]
    assert tries == [401] * FAILURES["address"] + [429]


def test_sign_ins_keep_no_page_waiting_however_many_come_at_once(console, signed_in, monkeypatch) -> None:
    begun, goes_on, real = [], Event(), accounts._PASSWORDS.fits
    browser = signed_in("viewer")

    def fits(kept: str | None, password: str) -> bool:
        begun.append(kept)
        assert goes_on.wait(30)
        return real(kept, password)

    monkeypatch.setattr(accounts._PASSWORDS, "fits", fits)
    number = THREADS + 5
    with ThreadPoolExecutor(number) as people:
        browsers = [Browser(console, f"10.0.0.{place}") for place in range(number)]
        signing = [people.submit(each.sign_in, f"nobody-{place}") for place, each in enumerate(browsers)]
        try:
            wait_until(lambda: len(begun) == PASSWORDS_AT_ONCE, what="sign-ins that are checked")
            assert browser.get("/board").status_code == 200
            assert len(begun) == PASSWORDS_AT_ONCE
        finally:
            goes_on.set()
        assert {each.result().status_code for each in signing} == {401}
