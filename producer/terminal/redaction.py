"""Removes passwords from what people and logs see."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "**"

# user:secret@ of a URL, however badly the secret is escaped, and password=… as libpq writes it. Messages that say how
# to write a URL have the word PASSWORD in its place.
_URL_PASSWORD: Final = re.compile(r"(://[^\s:/@\"'<>]*:)(?!PASSWORD@)[^\s\"'<>]*@")
_NAMED_PASSWORD: Final = re.compile(r"(?i)(password[\"']?\s*[=:]\s*)([\"']?)[^\s\"',;)&]+")


def discreet(text: str) -> str:
    """The text without the passwords in it: those of URLs, and what is named one."""
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\1{HIDDEN}@", text)
    if "assword" in text or "ASSWORD" in text:
        text = _NAMED_PASSWORD.sub(rf"\1\2{HIDDEN}", text)
    return text
