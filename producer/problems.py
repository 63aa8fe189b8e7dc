"""What is wrong with a value, in words for a person: no link to a web site, no pattern, nothing of the value itself."""

from __future__ import annotations

from pydantic import ValidationError


def in_words(error: ValidationError, whole: str = "event") -> str:
    """Each field with its problem; ``whole`` is what a problem of no single field is said of."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or whole}: {each['msg'].removeprefix('Value error, ')}" for each in problems
    )


def readable(error: Exception) -> str:
    """An error in words for the person at the terminal."""
    return in_words(error) if isinstance(error, ValidationError) else str(error) or type(error).__name__
