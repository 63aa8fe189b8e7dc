"""Acceptance tests learn on a small network, which is built once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network_support import BACKBONE


@pytest.fixture(autouse=True, scope="module")
def _session_networks(networks: Path) -> Iterator[None]:
    """Of a module, so that what its tests share is made with it too."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("INSERTS_BACKBONE", BACKBONE)
        environment.setenv("INSERTS_NETWORKS", str(networks))
        yield
