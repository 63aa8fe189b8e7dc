"""Which unit tests `make test-quick` leaves out: those that build networks, measure, or fuzz."""

from __future__ import annotations

from pathlib import Path

import pytest

SLOW = ("unit/benchmarks/", "worker/backbones/", "worker/networks/", "unit/test_fuzz.py", "unit/test_audit.py")


def is_slow(path: Path, config: pytest.Config) -> bool:
    # With the slash a folder of them is one too: its `conftest.py` is not imported either.
    name = path.relative_to(config.rootpath).as_posix() + ("/" if path.is_dir() else "")
    return any(part in name for part in SLOW)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Left out, they are not imported either: Keras takes as long as hundreds of tests."""
    return True if config.option.markexpr == "not slow" and is_slow(collection_path, config) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if is_slow(item.path, config):
            item.add_marker(pytest.mark.slow)
