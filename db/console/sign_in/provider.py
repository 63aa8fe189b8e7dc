"""Asks an OpenID provider who a person is: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).

Between the two steps only the browser's cookie keeps anything. The provider's addresses and keys are requested at each
sign-in: sign-ins are few, and a changed key then needs no special handling.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from db.console.reader.texts import Text
from db.schema.column_words import PERSON_ROLES, PersonRole

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""How a provider may sign: with a key that only it has."""

LEEWAY: Final = 60
"""Seconds by which the provider's clock may differ from this one."""

_TIMEOUT: Final = 10.0


class ProviderAway(Exception):
    """The provider does not answer, or not as one."""


class NotBelieved(Exception):
    """The provider's statement about the person is not accepted; the text says why."""


@dataclass(frozen=True)
class Provider:
    """An OpenID provider, and what its claims mean here.

    `name_claim` has the name of a new account, `role_claim` what `roles` gives a role for.
    """

    issuer: str
    client: str
    secret: str | None
    name_claim: str
    role_claim: str
    roles: Mapping[str, PersonRole]


@dataclass(frozen=True)
class Stranger:
    """The person that the provider vouches for: `subject` identifies the person for good; the name may change."""

    subject: str
    name: str
    role: PersonRole


@dataclass(frozen=True)
class Attempt:
    """One sign-in of one browser, whose cookie holds `secret`; all else that the flow needs follows from it."""

    secret: str

    @classmethod
    def new(cls) -> Attempt:
        """Of a browser that begins."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """Shows that an answer is to this browser's question."""
        return self._of("state")

    @property
    def nonce(self) -> str:
        """Shows that a token was made for this sign-in."""
        return self._of("nonce")

    @property
    def verifier(self) -> str:
        """Shows the provider that the code is used by the same client that asked for it."""
        return self._of("verifier")

    def _of(self, what: str) -> str:
        return _text(hmac.digest(self.secret.encode(), what.encode(), "sha256"))


def asking(provider: Provider, attempt: Attempt, back: str) -> str:
    """Where a browser is sent to sign in; the provider sends it `back`.

    Raises:
        ProviderAway: the provider does not say where.
    """
    with _client() as client:
        address = _address(_discovered(client, provider), "authorization_endpoint")
    question = {
        "response_type": "code",
        "client_id": provider.client,
        "redirect_uri": back,
        "scope": "openid profile email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": _text(hashlib.sha256(attempt.verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    return f"{address}{'&' if '?' in address else '?'}{urlencode(question)}"


def answered(provider: Provider, attempt: Attempt, code: str, back: str) -> Stranger:
    """The person who signed in, by the code that the browser brought back.

    Raises:
        ProviderAway: the provider does not answer.
        NotBelieved: it refuses the code, its token is not for this sign-in, or the person has no role here.
    """
    with _client() as client:
        known = _discovered(client, provider)
        token = _token(client, provider, known, attempt, code, back)
        keys = _json(_answer(client, "GET", _address(known, "jwks_uri")))
    return _stranger(provider, _claims(provider, attempt, token, keys))


def checked_address(address: str) -> str:
    """The address of a provider, or of one of its services.

    Raises:
        ValueError: what is said there could be read or changed on the way.
    """
    parts = urlsplit(address)
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))
    if not parts.hostname or not safe:
        raise ValueError(f"{address!r} is no https:// address")
    return address


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _client() -> httpx2.Client:
    return httpx2.Client(timeout=_TIMEOUT, headers={"Accept": "application/json"})


def _discovered(client: httpx2.Client, provider: Provider) -> Mapping[str, Any]:
    address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    known = _json(_answer(client, "GET", address))
    if known.get("issuer") != provider.issuer:
        raise ProviderAway(f"{address} is of the issuer {known.get('issuer')!r}")
    return known


def _token(
    client: httpx2.Client, provider: Provider, known: Mapping[str, Any], attempt: Attempt, code: str, back: str
) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "client_id": provider.client,
        "code_verifier": attempt.verifier,
    }
    signed = None
    if provider.secret is not None:
        if "client_secret_basic" in known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            signed = httpx2.BasicAuth(quote(provider.client, safe=""), quote(provider.secret, safe=""))
        else:
            form["client_secret"] = provider.secret
    answer = _answer(client, "POST", _address(known, "token_endpoint"), data=form, auth=signed)
    tokens = _json(answer)
    if answer.status_code != 200:
        raise NotBelieved(Text("the provider refuses the code: %(what)s", what=tokens.get("error", answer.status_code)))
    token = tokens.get("id_token")
    if not isinstance(token, str):
        raise NotBelieved(Text("the provider gives no ID token"))
    return token


def _claims(provider: Provider, attempt: Attempt, token: str, keys: Mapping[str, Any]) -> Mapping[str, Any]:
    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": attempt.nonce},
    )
    try:
        usable = [key for key in keys.get("keys", []) if key.get("kty") in ("RSA", "EC") and key.get("use") != "enc"]
        claims = jwt.decode(token, KeySet.import_key_set({"keys": usable}), algorithms=ALGORITHMS).claims
        rules.validate(claims)
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise NotBelieved(Text("the ID token is not valid: %(what)s", what=error)) from error
    # Of a token for several it says itself for whom it was made.
    if claims.get("azp", provider.client) != provider.client or ("azp" not in claims and _several(claims["aud"])):
        raise NotBelieved(Text("the ID token is not valid: it was made for another client"))
    return claims


def _stranger(provider: Provider, claims: Mapping[str, Any]) -> Stranger:
    claimed = _claim(claims, provider.role_claim)
    groups = claimed if isinstance(claimed, list) else [claimed]
    roles = [provider.roles[group] for group in groups if isinstance(group, str) and group in provider.roles]
    if not roles:
        raise NotBelieved(Text("nothing in the claim %(claim)r gives a role here", claim=provider.role_claim))
    name = _claim(claims, provider.name_claim)
    if not isinstance(name, str):
        raise NotBelieved(Text("the ID token has no claim %(claim)r with a name", claim=provider.name_claim))
    # At many providers anybody may write down any address; it is somebody's once that has answered a mail.
    if provider.name_claim == "email" and claims.get("email_verified") not in (True, "true"):
        raise NotBelieved(Text("the provider has not verified that the e-mail address %(name)s is yours", name=name))
    return Stranger(claims["sub"], name, max(roles, key=PERSON_ROLES.index))


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim, or one within another: `realm_access.roles`."""
    if name in claims:
        return claims[name]
    first, _, rest = name.partition(".")
    within = claims.get(first)
    return _claim(within, rest) if rest and isinstance(within, dict) else None


def _several(audience: object) -> bool:
    return isinstance(audience, list) and len(audience) > 1


def _address(known: Mapping[str, Any], name: str) -> str:
    try:
        return checked_address(str(known.get(name)))
    except ValueError as error:
        raise ProviderAway(f"{name}: {error}") from error


def _answer(client: httpx2.Client, method: str, address: str, **how: Any) -> httpx2.Response:
    try:
        answer = client.request(method, address, **how)
    except httpx2.HTTPError as error:
        raise ProviderAway(f"{address}: {error}") from error
    if answer.status_code >= 500 or (method == "GET" and answer.status_code != 200):
        raise ProviderAway(f"{address} answers {answer.status_code}")
    return answer


def _json(answer: httpx2.Response) -> Mapping[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ProviderAway(f"{answer.url} answers no JSON object")
    return value


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
