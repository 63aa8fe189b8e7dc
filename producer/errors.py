"""Errors in words, for the person at the terminal."""

from __future__ import annotations

from pydantic import ValidationError

from producer.terminal import visible


def in_words(error: BaseException) -> str:
    """What went wrong, in one line where it can be; never with a value that may be a secret."""
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems)
    if isinstance(error, UnicodeEncodeError):
        return f"{visible(error.object)} is no text: it holds bytes that are no UTF-8"
    return str(error) or type(error).__name__
