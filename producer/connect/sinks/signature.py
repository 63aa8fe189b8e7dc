"""Signatures of webhooks by Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from producer.configuration.secret_files import password_in

PREFIX: Final = "whsec_"
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64


def new_secret() -> str:
    """A secret to share with a receiver: 32 random bytes in the standard's form."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_in(file: Path) -> bytes:
    """The secret in a file.

    Raises:
        ValueError: the file cannot be read, or holds none in the standard's form.
    """
    text = password_in(file)
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not text.startswith(PREFIX) or not LEAST_BYTES <= len(secret) <= MOST_BYTES:
        raise ValueError(
            f"the file {file} holds no secret: it is {PREFIX} and then {LEAST_BYTES} to {MOST_BYTES} bytes in "
            "base64, like what `insert-station connect secret` prints"
        )
    return secret


def signature(secrets_of_receiver: Iterable[bytes], event_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret, so that a receiver may change over."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(secret, signed, hashlib.sha256) for secret in secrets_of_receiver)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
