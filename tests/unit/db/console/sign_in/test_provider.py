"""Who signs in at an OpenID provider, asked of a real one on loopback: what is not to be believed is refused."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from db.console.sign_in.provider import (
    Attempt,
    NotBelieved,
    Provider,
    ProviderAway,
    Stranger,
    answered,
    asking,
    checked_address,
)
from tests.openid_provider import CLIENT, SECRET, OpenIdProvider

BACK = "http://127.0.0.1:8377/login/provider/back"
ROLES = {"quality": "reviewer", "maintenance": "maintainer"}


@pytest.fixture
def provider(openid: OpenIdProvider) -> Provider:
    return Provider(openid.issuer, CLIENT, SECRET, "preferred_username", "groups", ROLES)


def code_of(provider: Provider, attempt: Attempt) -> str:
    """Follow a browser to the provider and back."""
    answer = httpx2.get(asking(provider, attempt, BACK))
    question = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert question["state"] == [attempt.state]
    return question["code"][0]


def sign_in(provider: Provider) -> Stranger:
    attempt = Attempt.new()
    return answered(provider, attempt, code_of(provider, attempt), BACK)


def test_who_signed_in_has_the_highest_role_of_its_groups(openid, provider) -> None:
    assert sign_in(provider) == Stranger("248289761001", "carla", "reviewer")
    openid.person["groups"] = ["canteen", "maintenance", "quality", 7]
    assert sign_in(provider).role == "maintainer"
    openid.person |= {"realm_access": {"roles": "quality"}, "email": "c@plant.example", "email_verified": True}
    elsewhere = replace(provider, role_claim="realm_access.roles", name_claim="email")
    assert sign_in(elsewhere) == Stranger("248289761001", "c@plant.example", "reviewer")


@pytest.mark.parametrize("verified", [None, False, "false", 1.5, "yes"])
def test_an_address_that_is_not_verified_is_nobody_s_name(openid, provider, verified) -> None:
    openid.person |= {"email": "root@plant.example", "email_verified": verified}
    assert sign_in(provider).name == "carla", "who is not called by it may have one"
    with pytest.raises(NotBelieved, match=r"not verified that the e-mail address root@plant\.example"):
        sign_in(replace(provider, name_claim="email"))


def test_who_has_no_role_or_no_name_is_refused(openid, provider) -> None:
    for groups in ([], ["canteen"], None, {"quality": True}):
        openid.person["groups"] = groups
        with pytest.raises(NotBelieved, match="'groups' gives a role"):
            sign_in(provider)
    openid.person = {"sub": "1", "groups": ["quality"]}
    with pytest.raises(NotBelieved, match="no claim 'preferred_username'"):
        sign_in(provider)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"nonce": "of another sign-in"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another client"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": [CLIENT, "another client"]}, "another client"),
        ({"azp": "another client"}, "another client"),
        ({"iss": "http://localhost/elsewhere"}, "iss"),
        ({"exp": time.time() - 3600}, "expired"),
        ({"exp": None}, "exp"),
        ({"iat": time.time() + 3600}, "iat|future|issued"),
        ({"sub": None}, "sub"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),  # the same in every worker of xdist
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(openid, provider, wrong, said) -> None:
    openid.spoil = lambda claims: {name: value for name, value in {**claims, **wrong}.items() if value is not None}
    with pytest.raises(NotBelieved, match=rf"the ID token is not valid: .*({said})"):
        sign_in(provider)


def test_nor_one_that_the_provider_has_not_signed(openid, provider) -> None:
    public = openid.key.as_pem(private=False)
    forged = {
        "by another key": lambda claims: openid.signed(claims, openid.other_key),
        "by the public key, as if it were a password": lambda claims: _by_hand("HS256", openid.signed(claims), public),
        "by nobody": lambda claims: _by_hand("none", openid.signed(claims), b""),
        "changed": lambda claims: _changed(openid.signed(claims)),
        "no token": lambda _: "x",
    }
    for how, signing in forged.items():
        openid.signing = signing
        with pytest.raises(NotBelieved, match="the ID token is not valid"):
            pytest.fail(f"{how}: {sign_in(provider)}")


def _by_hand(how: str, token: str, key: bytes) -> str:
    """Its claims signed anew, in ways that no library signs any more."""

    def text(value: bytes) -> str:
        return urlsafe_b64encode(value).rstrip(b"=").decode()

    said = f"{text(json.dumps({'alg': how, 'kid': '1'}).encode())}.{token.split('.')[1]}"
    return f"{said}.{text(hmac.digest(key, said.encode(), 'sha256')) if key else ''}"


def _changed(token: str) -> str:
    head, claims, signature = token.split(".")
    return f"{head}.{claims[:-2]}{'AA' if claims[-2:] != 'AA' else 'BB'}.{signature}"


def test_a_code_is_good_once_and_for_who_asked(openid, provider) -> None:
    attempt = Attempt.new()
    code = code_of(provider, attempt)
    assert answered(provider, attempt, code, BACK).name == "carla"
    with pytest.raises(NotBelieved, match="invalid_grant"):
        answered(provider, attempt, code, BACK)
    with pytest.raises(NotBelieved, match="invalid_grant"):  # a code that was laid under another browser
        answered(provider, Attempt.new(), code_of(provider, attempt), BACK)
    for stranger in (replace(provider, secret="wrong"), replace(provider, secret=None)):
        with pytest.raises(NotBelieved, match="invalid_client"):
            sign_in(stranger)


def test_what_a_browser_says_tells_nothing_of_its_secret_and_differs_each_time() -> None:
    attempt, other = Attempt.new(), Attempt.new()
    said = {attempt.secret, attempt.state, attempt.nonce, attempt.verifier}
    assert len(said) == 4
    assert not said & {other.secret, other.state, other.nonce, other.verifier}
    assert 43 <= len(attempt.verifier) <= 128  # RFC 7636


def test_a_provider_that_is_away_or_another_one_is_said(openid, provider) -> None:
    with pytest.raises(ProviderAway, match="answers 404"):
        sign_in(replace(provider, issuer=provider.issuer.removesuffix("/plant")))
    with pytest.raises(ProviderAway, match="is of the issuer"):
        sign_in(replace(provider, issuer=provider.issuer.replace("localhost", "127.0.0.1")))
    with pytest.raises(ProviderAway):
        sign_in(replace(provider, issuer="http://localhost:9"))


def test_what_can_be_read_on_the_way_is_no_address_of_a_provider() -> None:
    for address in (
        "http://login.plant.example",
        "ftp://x",
        "https://",
        "login.plant.example",
        "http://localhost.evil/",
    ):
        with pytest.raises(ValueError, match="is no https:// address"):
            checked_address(address)
    for address in ("https://login.plant.example/realms/plant", "http://localhost:8080/x", "http://[::1]/"):
        assert checked_address(address) == address
