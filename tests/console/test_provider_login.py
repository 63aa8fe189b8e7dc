"""Signing in at the plant's OpenID provider in a real browser, which sends no session's cookie from another site."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.console.browser import Page
from tests.openid_provider import CLIENT, SECRET, OpenIdProvider, openid_provider
from tests.support import wait_until


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenIdProvider]:
    """On another site than the console's 127.0.0.1."""
    with openid_provider("127.0.0.2") as started:
        roles = json.dumps({"quality": "reviewer"})
        known = {"ISSUER": started.issuer, "CLIENT": CLIENT, "SECRET": SECRET, "ROLES": roles}
        for name, value in known.items():
            monkeypatch.setenv(f"INSERTS_CONSOLE_OIDC_{name}", value)
        yield started


def test_a_person_signs_in_at_the_plants_provider(page: Page, provider: OpenIdProvider) -> None:
    page.open("/review")
    page.follow('a[href^="/login/provider"]')  # by the provider's pages and one of the console's own
    wait_until(lambda: page.shows("#desk"), what="the page that was asked for")
    page.complete()
    assert page.text(".who span").startswith("carla")
    assert {(each["sameSite"], each["httpOnly"]) for each in page.chromium.get_cookies()} == {("Strict", True)}
    assert page.complaints() == []
