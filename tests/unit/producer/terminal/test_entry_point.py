"""How a command ends, tried on real processes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from producer.terminal.entry_point import run
from producer.terminal.output import note, say

def app():
    {body}

run(app, explained=lambda error: str(error) if isinstance(error, OSError) else None, program="insert-db")
"""


def run(body: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-c", PROGRAM.format(body=body)],
        **({"capture_output": True} | options),
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("body", "code"), [("pass", 0), ("raise SystemExit", 0), ("raise SystemExit(5)", 5), ("raise OSError('away')", 2)]
)
def test_a_command_s_exit_code_is_its_own(body: str, code: int) -> None:
    assert run(body).returncode == code


def test_a_closed_pipe_is_no_traceback() -> None:
    body = "[say('a line of an answer') for _ in range(100_000)]"
    command = [sys.executable, "-c", PROGRAM.format(body=body)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"a line of an answer\n"
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


def test_a_closed_pipe_is_no_error_of_a_library_either() -> None:
    """Rich and Typer end the process by themselves, with code 1, where their output finds no reader."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        body = "import typer; help = typer.Typer(); help.command()(lambda: None); help(['--help'])"
        done = run(body, stdout=closed, stderr=subprocess.PIPE, capture_output=False)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "body", ["say('answer')", "sys.stdout.write('answer')", "import rich; rich.get_console().print('answer')"]
)
def test_an_answer_that_finds_its_disk_full_says_so(body: str) -> None:
    with Path("/dev/full").open("w") as full:
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        done = run(body, stdout=full, stderr=subprocess.PIPE, capture_output=False, env=buffered)
    assert done.returncode == 2
    assert done.stderr.startswith("insert-db: ")
    assert "<stdout>" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("closed", [1, 2])
def test_a_stream_that_was_closed_before_is_no_error(closed: int) -> None:
    kept = {1: "stderr", 2: "stdout"}[closed]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}>&-', "sh", sys.executable, "-c", PROGRAM.format(body="say('a'); note('b')")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert getattr(done, kept) == {"stderr": "b\n", "stdout": "a\n"}[kept]


def test_an_error_that_nobody_foresaw_is_logged_with_its_traceback_and_said_in_two_lines() -> None:
    done = run("raise KeyError('redis://me:s#cret@host')")
    assert done.returncode == 2
    logged, what, advice = done.stderr.splitlines()
    assert '"level": "critical"' in logged
    assert "Traceback" in logged
    assert what.startswith("insert-db: KeyError: ")
    assert "report" in advice
    assert "cret" not in done.stderr


@pytest.mark.parametrize("debug", [False, True])
def test_on_a_terminal_the_traceback_comes_where_it_is_asked_for(debug: bool) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "INSERTS_DEBUG"}
    if debug:
        environment["INSERTS_DEBUG"] = "1"
    done = run("raise KeyError('nothing')", stderr=theirs, capture_output=False, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # the end, as Linux tells it
        pass
    os.close(ours)
    assert done.returncode == 2
    assert b"insert-db: KeyError" in shown
    assert (b"Traceback" in shown) is debug
    assert (b"INSERTS_DEBUG=1" in shown) is not debug
