"""Tokens: whose they are, what they may do, and when they end."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from db.console.sign_in.throttle import FAILURES
from db.people import accounts, tokens
from db.schema.tables import Accounts, Tokens
from tests.console_support import PASSWORD, Browser, Program, token_of
from tests.integration.conftest import on_both_engines

pytestmark = on_both_engines  # what it shows is asked of the database by itself


def test_a_token_does_what_its_account_may_and_no_more(line, program) -> None:
    new = {"capture_id": str(line.see(1, 0, "intact").capture_id), "label": "worn"}
    refused = program("viewer").post("reviews", new)
    assert refused.status_code == 403
    assert "reviewer" in refused.json()["detail"]
    assert program("administrator").post("reviews", new).status_code == 201


def test_its_role_is_the_account_s_of_now(console, program) -> None:
    reviewer = program("reviewer")
    with console.database.transaction() as session:
        session.execute(update(Accounts).where(Accounts.name == "the reviewer").values(role="viewer"))
    assert reviewer.post("reviews", {}).status_code == 403
    assert reviewer.get("verdicts").status_code == 200


def test_only_its_digest_is_kept(console) -> None:
    secret = token_of(console, "the viewer")
    with console.database.reading() as session:
        row = session.execute(select(*Tokens.__table__.columns)).one()
    assert secret.startswith("inserts_")
    assert secret not in str(row)
    assert row.digest == tokens.digest_of(secret)


def test_without_a_token_and_a_session_a_program_hears_what_to_send(console) -> None:
    answer = Program(console).get("verdicts")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert Program(console).client.get("/api/v1/verdicts", headers={"Accept": "text/html"}).status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "disabled", "disabled, then enabled"])
def test_a_token_that_has_ended_opens_nothing(console, end) -> None:
    secret = token_of(console, "the viewer", days=1)
    program, now = Program(console, secret), datetime.now(UTC)
    assert program.get("verdicts").status_code == 200
    with console.database.transaction() as session:
        if end == "revoked":
            tokens.revoke(session, "the viewer", "a program", now)
        elif end == "expired":
            session.execute(update(Tokens).values(expires_at=now))
        else:
            accounts.disable(session, "the viewer", now)
        if end == "disabled, then enabled":
            accounts.set_password(session, "the viewer", PASSWORD)
    answer = program.get("verdicts")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


def test_another_password_ends_no_token(console) -> None:
    program = Program(console, token_of(console, "the viewer"))
    with console.database.transaction() as session:
        accounts.set_password(session, "the viewer", "another password")
    assert program.get("verdicts").status_code == 200


@pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "bearer x y", "Bearer ü", "Bearer " + "x" * 9_000])
def test_what_is_no_token_is_refused_like_a_wrong_one(console, sent) -> None:
    answer = Program(console).get("verdicts", headers=[(b"Authorization", sent.encode())])
    assert answer.status_code == 401


def test_who_shows_a_token_is_nobody_else_whatever_cookie_comes_along(console, signed_in) -> None:
    browser: Browser = signed_in("administrator")
    answer = browser.get("/api/v1/verdicts", Authorization="Bearer inserts_wrong")
    assert answer.status_code == 401
    # What a proxy of the plant asks for is not the console's.
    assert browser.get("/api/v1/verdicts", Authorization="Basic dTpw").status_code == 200


def test_a_token_opens_no_page(console) -> None:
    program = Program(console, token_of(console, "the administrator"))
    for path in ("/", "/audit", "/replace"):
        assert program.client.get(path).status_code == 401


def test_when_it_was_last_used_is_known_to_the_minute(console) -> None:
    program, used = Program(console, token_of(console, "the viewer")), []
    for age in (timedelta(), timedelta(seconds=30), timedelta(minutes=2)):
        with console.database.transaction() as session:
            session.execute(update(Tokens).values(last_used_at=used[-1] - age if used else None))
        program.get("verdicts")
        with console.database.reading() as session:
            used.append(tokens.every(session, "the viewer")[0].last_used_at)
    assert used[1] == used[0] - timedelta(seconds=30)
    assert used[2] > used[0]


def test_wrong_tokens_are_slowed_down_and_people_are_not(console) -> None:
    wrong, right = Program(console, "inserts_guess"), f"Bearer {token_of(console, 'the viewer')}"
    for _ in range(FAILURES["token"]):
        assert wrong.get("verdicts").status_code == 401
    # A program that does not stop is refused unseen, and takes nothing from others at its address.
    for _ in range(2 * FAILURES["address"]):
        refused = wrong.get("verdicts")
        assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 100
    assert wrong.get("verdicts", headers={"Authorization": right}).status_code == 200
    # Who guesses another one each time is slowed down by the address.
    tried = [
        wrong.get("verdicts", headers={"Authorization": f"Bearer inserts_{number}"}).status_code
        for number in range(FAILURES["address"])
    ]
    assert tried == [401] * (FAILURES["address"] - FAILURES["token"]) + [429] * FAILURES["token"]
    # One that holds is nobody's guess: behind a proxy all programs have one address.
    assert wrong.get("verdicts", headers={"Authorization": right}).status_code == 200
    assert (
        wrong.client.post(
            "/login", data={"name": "the viewer", "password": PASSWORD}, headers={"Origin": "http://testserver"}
        ).status_code
        == 303
    )


def test_a_name_is_one_token_s_until_it_ends(console) -> None:
    now = datetime.now(UTC)
    token_of(console, "the viewer")
    token_of(console, "the reviewer")
    with pytest.raises(ValueError, match="has a token 'a program' already"):
        token_of(console, "the viewer")
    with console.database.transaction() as session:
        tokens.revoke(session, "the viewer", "a program", now)
    token_of(console, "the viewer")
    with console.database.transaction() as session:
        accounts.disable(session, "the viewer", now)
        assert [token.revoked_at is None for token in tokens.every(session)] == [True, False, False]
    with pytest.raises(LookupError, match="that may sign in"):
        token_of(console, "the viewer", "another")
