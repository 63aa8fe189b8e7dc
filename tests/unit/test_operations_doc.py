"""What the page on the database says that a downgrade loses, has a line for every step down."""

from __future__ import annotations

import re
from pathlib import Path

from db.engine.schema_version import revisions

TEXT = (Path(__file__).parents[2] / "docs" / "operations-database.md").read_text(encoding="utf-8")


def test_every_step_down_says_what_it_loses() -> None:
    table = TEXT[TEXT.index("| going below | loses |") :]
    assert re.findall(r"^\| (\d{4})\b", table, re.MULTILINE) == revisions()
