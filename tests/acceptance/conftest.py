"""Acceptance tests learn on a small network, which is built once for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.network_support import BACKBONE


@pytest.fixture(autouse=True)
def _session_networks(networks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSERTS_BACKBONE", BACKBONE)
    monkeypatch.setenv("INSERTS_NETWORKS", str(networks))
