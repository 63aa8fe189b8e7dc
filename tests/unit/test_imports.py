"""What importing a folder loads, in a fresh process; which folder imports which is held by import-linter."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import producer

LEARNING = {"tensorflow", "keras", "sklearn", "scipy"}
"""What the extra `learn` brings, and the extra `worker` does not."""

HEAVY = {"tensorflow", "keras", "sklearn", "sqlalchemy", "h5py", "worker"}

# Modules of the standard library, and names of `os`, that Windows does not have.
POSIX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "curses", "readline"}
POSIX_NAMES = {"fork", "killpg", "setsid", "getuid", "geteuid", "mkfifo", "statvfs", "O_NOFOLLOW", "O_DIRECTORY"}


def loaded_by(*statements: str) -> list[set[str]]:
    """What one fresh process has loaded after each of these."""
    said = "\nimport sys\nprint(*sorted(name.partition('.')[0] for name in sys.modules))\n"
    code = "".join(f"{statement}{said}" for statement in statements)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_a_station_loads_nothing_heavy_of_others() -> None:
    (loaded,) = loaded_by("import producer.station.station, producer.commands.simulated_line")
    assert loaded & HEAVY == set()


def test_a_connector_loads_no_way_out_that_it_does_not_use() -> None:
    (loaded,) = loaded_by(
        "import producer.connect.connector, producer.connect.configuration.connector_file, producer.commands.connect"
    )
    assert loaded & {"asyncua", "argon2", "paho", "urllib3"} == set()


def test_the_console_loads_no_network_and_no_broker() -> None:
    (loaded,) = loaded_by("import db.console.serving")
    assert "fastapi" in loaded
    assert loaded & (HEAVY - {"sqlalchemy"} | {"celery", "redis", "kombu"}) == set()


# Prints the help of a program and of each of its commands, then what all that has loaded.
HELP = """
import contextlib, io, sys
from typer.main import get_command
from {package}.commands.main import app

def show_help(command, path):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        command.main([*path, "--help"], prog_name="program", standalone_mode=False)
    assert "Usage" in said.getvalue()

def walk(command, path=()):
    show_help(get_command(app), path)
    for name, below in getattr(command, "commands", {{}}).items():
        walk(below, (*path, name))

walk(get_command(app))
"""

LATE = {
    *("pydantic_settings", "sqlalchemy", "alembic", "psycopg", "fsspec", "celery", "kombu", "redis"),
    *("prometheus_client", "structlog", "numpy", "PIL", "tensorflow", "keras", "sklearn", "h5py", "tenacity"),
    *("asyncua", "cryptography", "argon2"),
}
"""What takes its time to import, and is for a command that does something. (Typer itself needs pydantic.)"""


@pytest.mark.parametrize(("package", "all_the_same"), [("db", set()), ("producer", set()), ("worker", {"structlog"})])
def test_a_program_loads_no_model_of_data_before_it_knows_its_command_and_for_help_only_what_prints_it(
    package: str, all_the_same: set[str]
) -> None:
    started, helped = loaded_by(f"import {package}.commands.main", HELP.format(package=package))
    assert started & (LATE | {"pydantic"}) == all_the_same
    assert helped & LATE == all_the_same


def test_nothing_in_producer_is_posix_only() -> None:
    for source in Path(producer.__file__).parent.rglob("*.py"):
        tree = ast.parse(source.read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert imported & POSIX_ONLY == set(), source
        assert used & POSIX_NAMES == set(), source


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
        "backbones/keras_families.py",
        "networks/building.py",
        "backbones/efficientnet_lite.py",
    }


WITHOUT_LEARNING = (
    (["run"], 2, "INSERTS_REDIS_URL is not set"),
    (["beat"], 2, "INSERTS_REDIS_URL is not set"),
    (["health"], 1, "so nothing runs with it"),
    (["models", "list"], 2, " upgrade` makes one"),
    (["learn"], 2, "pip install 'insert-inspection[learn]'"),
    (["train"], 2, "pip install 'insert-inspection[learn]'"),
)
"""What each command ends with, and says, where nothing of `LEARNING` is installed."""

# Runs commands one after the other, and prints behind what each says what it ends with.
COMMANDS = """
import json, sys
learning, commands = map(json.loads, sys.argv[1:])
sys.modules |= dict.fromkeys(learning)
from worker.commands.main import main
sys.stderr = sys.stdout
for command in commands:
    sys.argv[1:] = command
    try:
        main()
    except SystemExit as ended:
        print("==== ends with", ended.code)
"""


def test_with_the_extra_worker_alone_every_command_runs_or_says_what_to_install(tmp_path: Path) -> None:
    """The inspect worker's image holds no more; beat runs in it too."""
    commands = [[*command, "--data", str(tmp_path)] for command, _, _ in WITHOUT_LEARNING]
    asked = [sys.executable, "-c", COMMANDS, json.dumps(sorted(LEARNING)), json.dumps(commands)]
    others = {name: value for name, value in os.environ.items() if not name.startswith("INSERTS_")}
    environment = others | {"INSERTS_NICENESS": os.environ["INSERTS_NICENESS"]}
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "Traceback" not in done.stdout
    told = re.findall(r"(.*?)==== ends with (.*?)\n", done.stdout, re.DOTALL)
    assert len(told) == len(WITHOUT_LEARNING)
    for (command, code, said), (words, ended) in zip(WITHOUT_LEARNING, told, strict=True):
        assert ended == str(code), command
        assert said in words, command
