"""Which unit tests `make test-quick` leaves out: those that build networks, measure, or fuzz."""

from __future__ import annotations

import pytest

SLOW = ("unit/benchmarks/", "worker/backbones/", "worker/networks/", "unit/test_fuzz.py", "unit/test_audit.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(part in item.nodeid for part in SLOW):
            item.add_marker(pytest.mark.slow)
