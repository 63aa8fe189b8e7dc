"""Every word that messages, the database and models are described with has its line in the glossary."""

from __future__ import annotations

import re
from pathlib import Path

from db.schema.column_words import FAULT_STATES
from producer.contract.vocabulary import LABELS, MODEL_ROLES, OUTCOMES, STATES

TEXT = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| ") and "| ---" not in line]


def test_every_row_has_a_word_what_it_is_and_the_field_s_term() -> None:
    assert len(ROWS) > 80
    assert [row for row in ROWS if len(row) != 3 or not all(row)] == []


def test_no_word_is_explained_twice() -> None:
    words = [row[0] for row in ROWS if row[0] != "word"]
    assert sorted(set(words)) == sorted(words)


def test_the_words_of_the_contract_and_the_database_are_explained() -> None:
    explained = {word for row in ROWS for word in re.findall(r"`(\w+)`", row[0])}
    assert {*OUTCOMES, *LABELS, *STATES, *FAULT_STATES, *MODEL_ROLES} - explained == set()
