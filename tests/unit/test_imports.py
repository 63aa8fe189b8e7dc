"""What importing a room loads, in a fresh process; the arrows between the rooms are held by import-linter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import producer

HEAVY = {"tensorflow", "keras", "sklearn", "sqlalchemy", "h5py", "worker"}

# Modules of the standard library, and names of `os`, that Windows does not have.
POSIX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "curses", "readline"}
POSIX_NAMES = {"fork", "killpg", "setsid", "getuid", "geteuid", "mkfifo", "statvfs", "O_NOFOLLOW", "O_DIRECTORY"}

SOURCES = sorted(Path(producer.__file__).parent.rglob("*.py"))


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted(name.partition('.')[0] for name in sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import producer.station.station, producer.commands.main, producer.commands.simulate",
        "import db, db.commands.main",
    ],
)
def test_station_and_database_load_nothing_heavy_of_others(statement: str) -> None:
    allowed = {"sqlalchemy"} if "db" in statement else set()
    assert loaded_by(statement) & (HEAVY - allowed) == set()


def test_the_worker_command_loads_no_network_before_it_is_needed() -> None:
    assert loaded_by("import worker.commands.main") & {"tensorflow", "keras", "sklearn"} == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_nothing_in_producer_is_posix_only(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert imported & POSIX_ONLY == set()
    assert used & POSIX_NAMES == set()


def test_only_the_backbone_knows_keras() -> None:
    """Everything else works on arrays, so that a network can be replaced in one place."""
    import worker

    root = Path(worker.__file__).parent
    knowing = set()
    for source in root.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.partition(".")[0] for name in names} & {"keras", "tensorflow"}:
                knowing.add(source.relative_to(root).as_posix())
    assert knowing == {
        "backbones/filled_network.py",
        "backbones/forward_pass.py",
        "backbones/keras_networks.py",
        "backbones/insertnet/architecture.py",
        "backbones/insertnet/train.py",
        "networks/building.py",
        "networks/efficientnet_lite.py",
    }
