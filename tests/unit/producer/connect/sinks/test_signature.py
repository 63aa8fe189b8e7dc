"""Signatures that the standard's own package verifies, and files that hold no secret."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from producer.connect.sinks.signature import new_secret, secret_in, signature


def test_the_standards_package_verifies_it_with_either_secret(tmp_path: Path) -> None:
    texts = [new_secret(), new_secret()]
    files = [tmp_path / str(number) for number in range(2)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text + "\n")
    body, now = '{"ä": 1}'.encode(), int(time.time())
    headers = {
        "webhook-id": "abc",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(map(secret_in, files), "abc", now, body),
    }
    for text in texts:
        assert Webhook(text).verify(body, headers) == {"ä": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(texts[0]).verify(body + b" ", headers)


@pytest.mark.parametrize(
    "text",
    ["whsec_", "whsec_!!", "whsec_" + base64.b64encode(b"x" * 23).decode(), base64.b64encode(b"x" * 32).decode()],
)
def test_what_is_no_secret_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text)
    with pytest.raises(ValueError, match="holds no secret") as error:
        secret_in(file)
    assert text == "whsec_" or text not in str(error.value)
