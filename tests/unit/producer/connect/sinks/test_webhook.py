"""What is kept of a receiver's answer."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from producer.connect.sinks.webhook import without_address


@pytest.mark.parametrize(
    ("url", "answer", "kept"),
    [
        ("https://mes/hooks/T0K3N-12345?line=1", "Cannot POST /hooks/T0K3N-12345?line=1", "Cannot POST …?…"),
        ("https://mes/hooks/T0K3N-12345/x", '{"unknown": "T0K3N-12345"}', '{"unknown": "…"}'),
        ("https://mes/?token=a%2Fb-password", "no such token: a/b-password", "no such token: …"),
        ("https://mes/?line=1", "401 on line 1", "401 on line 1"),
        ("https://mes/", "Not Found: /", "Not Found: /"),
    ],
)
def test_an_answer_that_repeats_our_address_tells_no_password_of_it(url: str, answer: str, kept: str) -> None:
    assert without_address(answer, urlsplit(url)) == kept
