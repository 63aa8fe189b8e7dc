"""Signing in and out, sessions that end, and changes that another site asks for."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from db.console.sign_in.throttle import FAILURES
from db.engine.database import DatabaseUnavailable
from db.people import accounts, audit
from db.schema.tables import Accounts, Sessions
from tests.console_support import ORIGIN, PASSWORD, Browser, Program, console_on, token_of
from tests.integration.conftest import on_both_engines

pytestmark = on_both_engines  # what it shows is asked of the database by itself


def test_without_a_session_a_page_leads_to_the_login_and_back(console) -> None:
    browser = Browser(console)
    answer = browser.get("/photographs/0192f0c4-0000-7000-8000-000000000000/small?x=1")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2Fphotographs%2F")
    assert browser.get("/photographs/0192f0c4-0000-7000-8000-000000000000/small", Accept="*/*").status_code == 401


@pytest.mark.parametrize(
    ("page", "login"),
    [
        (f"{ORIGIN}/pocket?machine=m&pocket=1", "/login?next=%2Fpocket%3Fmachine%3Dm%26pocket%3D1"),
        ("http://elsewhere.example/pocket", "/login"),
        ("http://[", "/login"),
    ],
)
def test_a_form_that_was_sent_without_a_session_leads_back_to_its_page(console, page, login) -> None:
    answer = Browser(console).post("/pocket/changed", {"machine": "m"}, Referer=page)
    assert (answer.status_code, answer.headers["location"]) == (303, login)


def test_the_cookie_is_opaque_and_no_script_reads_it(console) -> None:
    browser = Browser(console)
    cookie = browser.sign_in("the viewer").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert "viewer" not in cookie
    with console.database.reading() as session:
        kept = session.scalars(select(Sessions.digest)).one()
    assert kept not in cookie


def test_over_https_the_cookie_never_goes_in_the_clear(console, tmp_path) -> None:
    secure = console_on(console.settings.url, tmp_path, console_https=True)
    cookie = Browser(secure).sign_in("the viewer").headers["set-cookie"]
    secure.database.close()
    assert cookie.startswith("__Host-inserts=")
    assert "Secure" in cookie


@pytest.mark.parametrize("name", ["the viewer", "nobody"])
def test_a_wrong_name_and_a_wrong_password_are_the_same(console, name) -> None:
    answer = Browser(console).sign_in(name, "not the password")
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert "set-cookie" not in answer.headers


def test_after_some_tries_a_name_waits_even_with_the_right_password(console) -> None:
    browser = Browser(console)
    for _ in range(FAILURES["name"]):
        assert browser.sign_in("the viewer", "wrong password").status_code == 401
    refused = browser.sign_in("the viewer")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 100
    assert browser.sign_in("the reviewer").status_code == 303


def test_tries_while_the_database_is_away_keep_nobody_from_signing_in_when_it_is_back(console, monkeypatch) -> None:
    browser = Browser(console)

    def away(*_: object) -> None:
        raise DatabaseUnavailable("it restarts")

    with monkeypatch.context() as restarting:
        restarting.setattr("db.people.accounts.signed_in", away)
        assert [browser.sign_in("the viewer").status_code for _ in range(2 * FAILURES["name"])] == [503] * 10
    assert browser.sign_in("the viewer").status_code == 303


def test_another_site_s_form_changes_nothing(console, signed_in) -> None:
    assert Browser(console).sign_in("the viewer", origin="http://elsewhere").status_code == 403
    browser = signed_in("viewer")
    csrf = browser.csrf
    for headers in ({"Origin": "http://elsewhere"}, {"Origin": "null"}, {"Origin": "http://["}, {}):
        assert browser.client.post("/logout", data={"csrf": csrf}, headers=headers).status_code == 403
    for token in ("", "0" * 64, "ü"):
        assert (
            browser.client.post("/logout", data={"csrf": token}, headers={"Origin": "http://testserver"}).status_code
            == 403
        )
    assert browser.get("/replace").status_code == 200


def test_signing_out_ends_the_session_itself(console, signed_in) -> None:
    browser = signed_in("viewer")
    stolen = dict(browser.client.cookies)
    answer = browser.post("/logout")
    assert (answer.status_code, answer.headers["clear-site-data"]) == (303, '"cache"')
    browser.client.cookies.update(stolen)
    assert browser.get("/replace").status_code == 303
    with console.database.reading() as session:
        assert [entry.action for entry in audit.recent(session)] == ["signed out", "signed in"]


@pytest.mark.parametrize(("seen", "started"), [(9, 9), (0, 25)], ids=["idle", "too old"])
def test_a_session_ends_by_itself(console, signed_in, seen, started) -> None:
    browser = signed_in("viewer")
    now = datetime.now(UTC)
    with console.database.transaction() as session:
        moments = {"seen_at": now - timedelta(hours=seen), "started_at": now - timedelta(hours=started)}
        session.execute(update(Sessions).values(moments))
    assert browser.get("/replace").status_code == 303


def test_use_keeps_a_session(console, signed_in) -> None:
    browser = signed_in("viewer")
    with console.database.transaction() as session:
        session.execute(update(Sessions).values(seen_at=datetime.now(UTC) - timedelta(hours=7)))
    assert browser.get("/replace").status_code == 200
    with console.database.reading() as session:
        assert session.scalars(select(Sessions.seen_at)).one() > datetime.now(UTC) - timedelta(minutes=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda session, name: accounts.disable(session, name, datetime.now(UTC)),
        lambda session, name: accounts.set_password(session, name, "another password"),
    ],
)
def test_disabling_an_account_and_a_new_password_end_its_sessions(console, signed_in, change) -> None:
    browser = signed_in("viewer")
    with console.database.transaction() as session:
        change(session, "the viewer")
    assert browser.get("/replace").status_code == 303
    assert browser.sign_in("the viewer").status_code == 401


def test_the_password_is_kept_as_argon2_only(console) -> None:
    with console.database.transaction() as session:
        accounts.add(session, "twin", "viewer", PASSWORD, datetime.now(UTC))
        kept = session.scalars(select(Accounts.password).where(Accounts.name.in_(("twin", "the viewer")))).all()
    assert all(each.startswith("$argon2id$") for each in kept)
    assert len(set(kept)) == len(kept)
    assert not any(PASSWORD in each for each in kept)


@pytest.mark.parametrize("next", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/a\nb"])
def test_the_login_leads_nowhere_else(console, next) -> None:
    browser = Browser(console)
    form = {"name": "the viewer", "password": PASSWORD, "next": next}
    assert browser.client.post("/login", data=form, headers={"Origin": "http://testserver"}).headers["location"] == "/"


def test_where_nothing_can_be_written_the_pages_are_there_all_the_same(line, console, database, tmp_path) -> None:
    """A full disk, or a standby: what must be changed is to be seen for as long as it can be read."""
    capture = line.see(1, 0, "damaged")
    browser, secret = Browser(console), token_of(console, "the reviewer")
    browser.sign_in("the reviewer")
    with console.database.transaction() as session:  # the last use of both was a while ago
        session.execute(update(Sessions).values(seen_at=datetime.now(UTC) - timedelta(minutes=5)))
    reading = console_on(database.url, tmp_path)
    on_server = database.url.startswith("postgresql")
    no_more = "SET TRANSACTION READ ONLY" if on_server else "PRAGMA query_only=ON"
    event.listen(reading.database._engine, "begin", lambda connection: connection.exec_driver_sql(no_more))
    try:
        program, other = Program(reading, secret), Browser(reading)
        other.client.cookies.update(browser.client.cookies)
        assert "mill-1" in other.get("/replace").text
        assert [item["pocket"] for item in program.get("replace").json()["items"]] == [1]
        kept = program.post("reviews", {"capture_id": str(capture.capture_id), "label": "worn"})
        assert kept.status_code == 503, "what is to be kept is refused"
    finally:
        reading.database.close()
