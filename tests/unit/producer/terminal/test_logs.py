"""What the commands log: one form for all, and no passwords. Each test is a process of its own, as commands are."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from producer.terminal.redaction import discreet

SAYS = """
import logging, threading, warnings
import structlog
from producer.terminal.logs import configure_logs

configure_logs()
log = structlog.get_logger()
with structlog.contextvars.bound_contextvars(capture="c-1", check="k-1", model="m-1"):
    log.info("judged", outcome="intact")
    logging.getLogger("celery.app.trace").error("Task %s failed", "c-1")
logging.getLogger("kombu").info("chatter")
logging.getLogger("sqlalchemy").warning("pool of %s", "redis://user:hunter2@host:1/0")
warnings.warn("old")
try:
    raise OSError("cannot reach redis://:hunter2@host:6379/0")
except OSError as error:
    log.exception("failed", url="rediss://u:hunter2@h/0", nested={"at": ["postgresql://u:hunter2@h/db"]})
    logging.getLogger("x").exception("failed too")
thread = threading.Thread(target=lambda: 1 / 0, name="t-1")
thread.start()
thread.join()
"""


def said(errors: int) -> None:
    subprocess.run([sys.executable, "-c", SAYS], stderr=errors, check=True, timeout=60)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    reader, writer = os.pipe()
    said(writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        text = file.read()
    assert "hunter2" not in text
    return [json.loads(line) for line in text.splitlines()]


def test_everything_comes_out_as_json_in_one_form(lines: list[dict[str, Any]]) -> None:
    assert [line["event"].split(":")[0] for line in lines if "old" not in line["event"]] == [
        "judged",
        "Task c-1 failed",
        "pool of redis",
        "failed",
        "failed too",
        "a thread ended with an error",
    ]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    assert [line["level"] for line in lines if line.get("logger") == "py.warnings"] == ["warning"]
    assert lines[1]["logger"] == "celery.app.trace"


def test_a_library_s_line_belongs_to_the_capture_too(lines: list[dict[str, Any]]) -> None:
    for line in lines[:2]:
        assert (line["capture"], line["check"], line["model"]) == ("c-1", "k-1", "m-1")
    assert "capture" not in lines[2]


def test_errors_keep_their_tracebacks(lines: list[dict[str, Any]]) -> None:
    failed = [line for line in lines if "exception" in line]
    assert len(failed) == 3
    assert "redis://:**@host:6379/0" in failed[0]["exception"]
    assert failed[0]["nested"] == {"at": ["postgresql://u:**@h/db"]}
    assert (failed[2]["thread"], "ZeroDivisionError" in failed[2]["exception"]) == ("t-1", True)


def test_on_a_terminal_it_is_for_people_and_as_discreet() -> None:
    controller, terminal = pty.openpty()
    said(terminal)
    os.close(terminal)
    text = b""
    while chunk := _read(controller):
        text += chunk
    assert b"judged" in text
    assert b"Task c-1 failed" in text
    assert b"hunter2" not in text
    assert not text.startswith(b"{")


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # Linux's way of saying that nobody holds the terminal any more
        return b""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://127.0.0.1:6379/0 refused", "redis://127.0.0.1:6379/0 refused"),
        ("redis://:s3cret@h:1/0", "redis://:**@h:1/0"),
        ("to rediss://worker:s/3@c:ret@h:1/0, again", "to rediss://worker:**@h:1/0, again"),
        ("host=h password=s3cret user=u", "host=h password=** user=u"),
        ("{'password': 's3cret', 'a': 1}", "{'password': '**', 'a': 1}"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
    ],
)
def test_passwords_are_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert discreet(text) == shown
