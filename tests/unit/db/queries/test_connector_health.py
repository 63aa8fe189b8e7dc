"""How a system is told, by what its connector says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from db.queries.connector_health import LATE_AFTER, word_of
from producer.contract.connector_report import SinkState

GOOD = SinkState("mes", True, None, 1.0, False, 0, None, 0, 7, 2.0)


@pytest.mark.parametrize(
    ("changes", "lag", "word"),
    [
        ({}, None, "told"),
        ({"waiting": 1}, LATE_AFTER, "told"),
        ({"waiting": 1}, LATE_AFTER + timedelta(seconds=1), "late"),
        ({"given_up": 1}, None, "given up"),
        ({"given_up": 1, "problem": "it answered 400"}, None, "refuses"),
        ({"up": False, "problem": "no answer", "given_up": 1}, None, "away"),
        ({"disabled": True, "up": False}, None, "disabled"),
    ],
    ids=lambda value: str(value),
)
def test_the_worst_is_said(changes: dict[str, Any], lag: timedelta | None, word: str) -> None:
    assert word_of(replace(GOOD, **changes), lag) == word
