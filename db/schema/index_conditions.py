"""Conditions of the indexes that hold only some rows, in words.

An engine uses such an index only where it sees that the question asks for no other rows: so a question repeats the
condition, as words rather than with parameters, which both engines may plan without knowing.
"""

from __future__ import annotations

from typing import Final

UNANSWERED: Final = "outcome = 'unsure' AND review IS NULL"
"""The captures that wait for a person."""

FINDING: Final = "outcome <> 'intact'"
"""What was judged, and not intact: one in some twenty."""

DISPUTED: Final = (
    "(outcome = 'intact' AND review <> 'intact' AND review <> 'unusable' OR outcome = 'damaged' AND review = 'intact')"
)
"""The captures whose newest review says the opposite of the verdict."""
