"""Acceptance tests learn on a small network, which is built once for all of them, as is a line that has learned."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import migrate
from producer.simulation.head import write_labelled_folder
from tests.forked_commands import run_command
from tests.network_support import BACKBONE, made_once


@pytest.fixture(autouse=True, scope="module")
def _session_networks(networks: Path) -> Iterator[None]:
    """Of a module, so that what its tests share is made with it too."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("INSERTS_BACKBONE", BACKBONE)
        environment.setenv("INSERTS_NETWORKS", str(networks))
        yield


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of a head's inserts by label, enough to learn from. Nobody changes them."""
    return made_once(tmp_path_factory, "labelled", lambda folder: write_labelled_folder(folder, 160, 8, 256, head=2))


@pytest.fixture(scope="session")
def trained(labelled: Path, networks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a line whose model has learned from `labelled`, to be copied."""

    def train(folder: Path) -> None:
        folder.mkdir()
        migrate.upgrade(f"sqlite:///{folder / 'inserts.db'}")
        small = {"INSERTS_BACKBONE": BACKBONE, "INSERTS_NETWORKS": str(networks)}
        command = ("train", str(labelled), "--data", str(folder))
        run_command("insert-worker", *command, environment=os.environ | small, timeout=280).check_returncode()

    return made_once(tmp_path_factory, "trained", train)
