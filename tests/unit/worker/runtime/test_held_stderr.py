from __future__ import annotations

import subprocess
import sys

CODE = """
import os
from worker.runtime.held_stderr import held_stderr
os.write(2, b"before ")
try:
    with held_stderr():
        os.write(2, b"inside ")
        if {fails}:
            raise RuntimeError
except RuntimeError:
    pass
os.write(2, b"after")
"""


def said(*, fails: bool) -> str:
    return subprocess.run(
        [sys.executable, "-c", CODE.format(fails=fails)], capture_output=True, text=True, check=True
    ).stderr


def test_what_is_written_is_held_back_unless_the_block_fails() -> None:
    assert said(fails=False) == "before after"
    assert said(fails=True) == "before inside after"
