"""Signing in at an OpenID provider, through a real one on loopback, and what becomes of the account."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from pydantic import ValidationError

from db.console.context import Console
from db.console.sign_in.throttle import FAILURES
from db.people import accounts, audit
from tests.console_support import PASSWORD, Browser, console_on
from tests.integration.conftest import on_both_engines
from tests.openid_provider import CLIENT, SECRET

ROLES = {"quality": "reviewer", "maintenance": "maintainer"}


@pytest.fixture
def plant(console, openid, tmp_path) -> Iterator[Console]:
    """The console of a plant that has such a provider."""
    secret = tmp_path / "client"
    secret.write_text(f"{SECRET}\n")
    known = {"console_oidc_issuer": openid.issuer, "console_oidc_client": CLIENT, "console_oidc_secret_file": secret}
    made = console_on(console.settings.url, tmp_path, console_oidc_roles=ROLES, **known)
    yield made
    made.database.close()


def back(browser: Browser, next: str = "/replace") -> str:
    """Where the provider sends a browser after the person has signed in there."""
    asked = browser.get(f"/login/provider?next={next}")
    assert asked.status_code == 303
    return httpx2.get(asked.headers["location"]).headers["location"]


def signed_in(console: Console) -> Browser:
    browser = Browser(console)
    answer = browser.get(back(browser))
    assert (answer.status_code, 'url=/replace"' in answer.text) == (200, True), answer.text
    return browser


def written(console: Console) -> list[tuple[str, str]]:
    with console.database.reading() as session:
        return [(row.by, row.action) for row in audit.recent(session)][::-1]


@on_both_engines
def test_who_signs_in_there_has_an_account_and_its_role_here(plant, openid) -> None:
    assert "Sign in with the plant's login" in Browser(plant).get("/login").text
    browser = signed_in(plant)
    assert "carla" in browser.get("/replace").text
    assert browser.get("/review").status_code == 200
    assert browser.get("/audit").status_code == 403
    assert browser.post("/logout").status_code == 303
    assert browser.get("/replace").status_code == 303
    openid.person |= {"groups": ["maintenance"], "preferred_username": "carla m"}
    assert "carla <small>maintainer" in signed_in(plant).get("/replace").text  # whoever it was stays it
    steps = ["account added", "signed in", "signed out", "role changed", "signed in"]
    assert written(plant) == [("carla", step) for step in steps]
    assert Browser(plant).sign_in("carla").status_code == 401
    assert Browser(plant).sign_in("the reviewer", PASSWORD).status_code == 303  # accounts of the console stay


def test_what_another_site_has_browsers_ask_shuts_nobody_out(plant) -> None:
    for _ in range(FAILURES["address"]):
        assert Browser(plant).get("/login/provider/back?state=x").status_code == 403
    signed_in(plant)


def test_an_answer_to_nobody_s_question_begins_nothing(plant) -> None:
    browser, other = Browser(plant), Browser(plant)
    address = back(browser)
    cookie = browser.client.cookies["inserts-provider"]
    wrong_state = address.replace("state=", "state=x")
    for whose, asked in (
        (other, address),
        (browser, wrong_state),
        (browser, "/login/provider/back?error=access_denied"),
    ):
        answer = whose.get(asked)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert browser.get(address).status_code == 200
    browser.client.cookies.clear()
    assert browser.get(address).status_code == 403  # the cookie went with the first answer
    browser.client.cookies["inserts-provider"] = cookie
    assert "invalid_grant" in browser.get(address).text  # and the provider takes no code twice
    assert browser.get("/replace").status_code == 303


def test_a_person_may_be_called_there_as_in_an_address(plant, openid) -> None:
    openid.person["preferred_username"] = "carla.m@plant.example"
    assert "carla.m@plant.example" in signed_in(plant).get("/replace").text
    openid.person |= {"sub": "another", "preferred_username": "carla@@plant.example"}
    browser = Browser(plant)
    assert browser.get(back(browser)).status_code == 403
    with plant.database.reading() as session:
        assert "carla.m@plant.example" in {account.name for account in accounts.every(session)}


@on_both_engines
def test_a_name_makes_nobody_somebody_else_here(plant, openid) -> None:
    openid.person["preferred_username"] = "the administrator"
    browser = Browser(plant)
    assert "somebody else has an account" in browser.get(back(browser)).text
    openid.person["preferred_username"] = "dora"
    signed_in(plant)
    openid.person |= {"sub": "another", "groups": ["maintenance"]}
    assert "somebody else has an account" in browser.get(back(browser)).text
    assert browser.get("/replace").status_code == 303
    with plant.database.transaction() as session:
        dora = accounts.every(session)[0]
        assert (dora.name, dora.role) == ("dora", "reviewer")
        accounts.disable(session, "dora", dora.created_at)
    openid.person["sub"] = "248289761001"
    assert "is disabled" in browser.get(back(browser)).text


def test_it_leads_nowhere_else_and_not_where_there_is_none(plant, openid, console) -> None:
    browser = Browser(plant)
    assert 'url=/"' in browser.get(back(browser, "//evil.example")).text
    assert console.settings.provider is None
    assert Browser(console).get("/login/provider").status_code == 404
    assert "/login/provider" not in Browser(console).get("/login").text


def test_a_provider_that_is_away_keeps_nobody_from_signing_in_here(console, tmp_path) -> None:
    known = {"console_oidc_issuer": "http://localhost:9", "console_oidc_client": CLIENT, "console_oidc_roles": ROLES}
    made = console_on(console.settings.url, tmp_path, **known)
    browser = Browser(made)
    assert browser.get("/login/provider").status_code == 502
    assert browser.sign_in("the viewer").status_code == 303
    made.database.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"console_oidc_issuer": "http://login.plant.example"}, "no https:// address"),
        ({"console_oidc_client": None}, "go together"),
        ({"console_oidc_roles": {}}, "go together"),
        ({"console_oidc_roles": {"quality": "king"}}, "reviewer"),
    ],
)
def test_half_a_provider_is_a_wrong_setting(tmp_path, wrong, said) -> None:
    known = {"console_oidc_issuer": "https://x", "console_oidc_client": CLIENT, "console_oidc_roles": ROLES}
    with pytest.raises(ValidationError, match=said):
        console_on("sqlite://", tmp_path, **known | wrong)
