"""A small OpenID provider on loopback: discovery, keys, a login that lets one person in, codes, and signed ID tokens.

It holds a client to the rules that count (client's password, redirect address, PKCE, one use of a code), and `spoil`
changes what it says in the way of a provider, or of somebody between, that is not to be believed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "the console", "a client's password: 1+1=2"


class OpenIdProvider(ThreadingHTTPServer):
    """One provider; `person` are the claims of who sits in front of the browser."""

    daemon_threads = True

    def __init__(self, host: str = "localhost") -> None:
        super().__init__(("127.0.0.1" if host == "localhost" else host, 0), _Answers)
        self.issuer = f"http://{host}:{self.server_port}/plant"
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        self.other_key = RSAKey.generate_key(2048, {"kid": "1"})
        self.person: dict[str, Any] = {"sub": "248289761001", "preferred_username": "carla", "groups": ["quality"]}
        self.spoil: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.signing: Callable[[dict[str, Any]], str] = self.signed
        self.codes: dict[str, dict[str, str]] = {}

    def signed(self, claims: dict[str, Any], key: RSAKey | None = None) -> str:
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, key or self.key)

    def let_in(self, question: dict[str, str]) -> str:
        """Where a browser goes whose person has signed in."""
        assert question["response_type"] == "code"
        assert question["code_challenge_method"] == "S256"
        assert "openid" in question["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = question
        return f"{question['redirect_uri']}?{urlencode({'code': code, 'state': question['state'], 'iss': self.issuer})}"

    def exchanged(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        basic = base64.b64encode(f"{_quoted(CLIENT)}:{_quoted(SECRET)}".encode()).decode()
        if authorization != f"Basic {basic}":
            return 401, {"error": "invalid_client"}
        question = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        if (
            question is None
            or question["redirect_uri"] != form["redirect_uri"]
            or question["code_challenge"] != challenge.rstrip("=")
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": question["nonce"]}
        token = self.signing(self.spoil({**claims, **self.person}))
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}


class _Answers(BaseHTTPRequestHandler):
    server: OpenIdProvider

    def do_GET(self) -> None:
        parts, provider = urlsplit(self.path), self.server
        if parts.path == "/plant/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            known = {name: f"{provider.issuer}/{path}" for name, path in names.items()}
            self._say(200, {"issuer": provider.issuer, **known})
        elif parts.path == "/plant/keys":
            self._say(200, {"keys": [{"kty": "of tomorrow"}, provider.key.as_dict(private=False)]})
        elif parts.path == "/plant/authorize":
            self.send_response(302)
            self.send_header("Location", provider.let_in(_form(parts.query)))
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        form = _form(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._say(*self.server.exchanged(form, self.headers.get("Authorization", "")))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _say(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def openid_provider(host: str = "localhost") -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider(host)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        provider.shutdown()
        provider.server_close()


def _form(text: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(text, keep_blank_values=True).items()}


def _quoted(text: str) -> str:
    return urlencode({"": text})[1:].replace("+", "%20")
