from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import program

INTERRUPTS = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what is in the background without
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize("name", ["insert-station", "insert-worker", "insert-db"])
def test_ctrl_c_while_a_command_is_imported_ends_it_quietly(name: str, tmp_path: Path) -> None:
    """The signal comes when Typer is imported, the first of what takes its time."""
    (tmp_path / "typer.py").write_text(INTERRUPTS)
    ended = subprocess.run(
        [program(name), "--help"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
