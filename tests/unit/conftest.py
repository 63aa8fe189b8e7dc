"""Which unit tests `make test-quick` leaves out: what is no matter of the inner loop.

Those that build networks, train and assess many models, measure or fuzz; and those that start a server or fresh
interpreters. `make test` runs them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

SLOW = (
    *("unit/benchmarks/", "worker/backbones/", "worker/networks/", "worker/lab/"),
    *(f"worker/evaluation/test_{name}.py" for name in ("backbone_scores", "charts", "learning_curve", "report")),
    *("worker/evaluation/test_cross_validation.py", "unit/test_fuzz.py", "unit/test_audit.py", "unit/test_imports.py"),
)

SERVERS = {"s3_server", "openid_running"}
"""Fixtures that start one."""


def is_slow(path: Path, config: pytest.Config) -> bool:
    # With the slash a folder of them is one too: its `conftest.py` is not imported either.
    name = path.relative_to(config.rootpath).as_posix() + ("/" if path.is_dir() else "")
    return any(part in name for part in SLOW)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Left out, they are not imported either: Keras takes as long as hundreds of tests."""
    return True if config.option.markexpr == "not slow" and is_slow(collection_path, config) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if is_slow(item.path, config) or not SERVERS.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
