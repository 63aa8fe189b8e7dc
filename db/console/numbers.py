"""The numbers that pages and API are asked for: those that a database can hold, so that none of them makes it fail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Pocket = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""The number of a pocket."""

Row = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""The number of a row, of a fault say."""
