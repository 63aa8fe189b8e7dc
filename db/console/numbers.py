"""What pages and API are asked for: numbers that a database can hold, and names in the form that it has them in."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number, not a boolean")
    return value


Pocket = Annotated[int, BeforeValidator(_no_boolean), Field(ge=1, le=2**31 - 1)]
"""The number of a pocket."""

Row = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""The number of a row, of a fault say."""

SeenRow = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""The number of the newest row that the client knew, of a review for example; 0: none."""

Typed = Annotated[str, AfterValidator(lambda text: unicodedata.normalize("NFC", text))]
"""A name as a person types or pastes it into an address, in form C; an invalid one matches nothing."""
