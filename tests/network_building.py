"""Builds the networks of a session of tests: a process of its own, which ends with TensorFlow in it."""

from __future__ import annotations

import sys
from pathlib import Path

from worker.networks.building import build
from worker.networks.names import parse_network_name
from worker.networks.store import NetworkStore


def main() -> None:
    """Add the networks of these names to the store in a folder: its arguments."""
    folder, *names = sys.argv[1:]
    for name in names:
        built = build(parse_network_name(name), weights_folder=Path("none"))
        NetworkStore(folder).add(built.data, built.manifest)
