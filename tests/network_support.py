"""Real networks for tests: two small files, built once for all of the session's processes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forked_commands import start_command
from worker.backbones.efficientnet_lite import published_weights
from worker.backbones.names import WeightsMissing
from worker.networks.names import parse_network_name

BACKBONE = "efficientnet_lite0:block4_out+gap,block10_out+gap"
"""What the processes of integration and acceptance tests learn on: a third of the default's time, and no pictures."""

OTHER_BACKBONE = "efficientnet_lite1:block0_out+gap"
"""Another file, of another input size."""


def session_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all of xdist's workers in this session have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first of xdist's workers to ask for it makes for all of them. Whoever changes it copies it."""
    folder = session_folder(factory) / name
    with folder.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            begun = folder.with_suffix(".begun")
            shutil.rmtree(begun, ignore_errors=True)
            make(begun)
            begun.rename(folder)
    return folder


def session_networks(factory: pytest.TempPathFactory) -> Path:
    """Where the session's networks are, once `built_networks` was called."""
    return session_folder(factory) / "networks"


def built_networks(factory: pytest.TempPathFactory) -> Path:
    """The folder of the session's networks, which the first one to ask for it builds."""
    try:
        published_weights(parse_network_name(BACKBONE).family)
    except WeightsMissing as error:
        pytest.skip(str(error))
    folder = session_networks(factory)
    with (session_folder(factory) / "networks.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if len(list(folder.glob("*.json"))) < 2:
            log = session_folder(factory) / "networks.log"
            building = start_command("tests.network_building", str(folder), BACKBONE, OTHER_BACKBONE, log=log)
            assert building.wait(280) == 0, log.read_text()
    return folder


def use_session_networks(factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the processes that a test starts learn on the session's network."""
    monkeypatch.setenv("INSERTS_BACKBONE", BACKBONE)
    monkeypatch.setenv("INSERTS_NETWORKS", str(session_networks(factory)))
