"""Acceptance tests learn on a small network, which is built once for all of them."""

from __future__ import annotations

import pytest

from tests.network_support import use_session_networks


@pytest.fixture(autouse=True)
def _session_networks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    use_session_networks(tmp_path_factory, monkeypatch)
