"""The growth benchmark against a PostgreSQL of its own; on SQLite it is among the unit tests."""

from __future__ import annotations

import os

import pytest

from benchmarks import growth


@pytest.mark.skipif(os.environ.get("INSERTS_TEST_POSTGRES") == "off", reason="INSERTS_TEST_POSTGRES=off")
def test_growth_is_measured_on_postgresql() -> None:
    (ratio,) = growth.ratios("postgresql", (30, 300), samples=1, captures=20, rounds=2)
    assert 0.05 < ratio < 20
