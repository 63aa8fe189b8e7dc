"""What docs/api.md shows, and the recipe for MTConnect in docs/integration.md, run as they stand there against a real
console; and that the first names all that there is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uuid6
from fastapi.routing import APIRoute

from db.console.api.application import RESOURCES
from db.console.api.fields import PREFIX
from tests.console_support import Program, served, token_of

DOCS = Path(__file__).parents[5] / "docs"
DOCUMENT = (DOCS / "api.md").read_text(encoding="utf-8")
INTEGRATION = (DOCS / "integration.md").read_text(encoding="utf-8")


def script(name: str) -> str:
    (found,) = re.findall(rf"```\w+\n# example: {re.escape(name)}\n(.*?)```", DOCUMENT + INTEGRATION, re.DOTALL)
    return str(found)


def example(name: str) -> Any:
    (found,) = re.findall(rf"<!-- example: {name} -->\n```json\n(.*?)\n```", DOCUMENT, re.DOTALL)
    return json.loads(found)


@pytest.fixture
def address(console) -> Iterator[str]:
    """Where the console answers, as a process of its own."""
    with served(console) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def run(console, address, tmp_path):
    """Runs an example with the token of a role, and returns what it printed."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")

    def run_one(name: str, role: str, **variables: str) -> str:
        token = token_of(console, f"the {role}", name)
        variables |= {"CONSOLE": address, "TOKEN": token}
        command = [sys.executable, "-c"] if name.endswith(".py") else ["bash", "-euc"]
        ended = subprocess.run(
            [*command, script(name)],
            env=os.environ | variables,
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run_one


def test_the_examples_do_what_the_page_says(line, console, run) -> None:
    seen = [line.see(pocket, pocket, "damaged") for pocket in (7, 8, 9)]
    line.see(1, 0, "damaged", machine="mill-2")

    (expected,) = example("replace")["items"]
    assert expected.items() <= json.loads(run("replace.sh", "viewer"))["items"][0].items()

    at, check_id = datetime.now(UTC) - timedelta(minutes=1), uuid6.uuid7()
    for pocket in range(1, 5):
        outcome = "unsure" if pocket == 3 else "intact"
        line.see(pocket, outcome=outcome, head="head-2", captured_at=at, check_id=check_id, check_size=4)
    assert example("head").items() <= json.loads(run("head.sh", "viewer"))["items"][0].items()

    lines = run("damaged.py", "viewer").splitlines()
    assert [each.split()[2] for each in lines] == ["9", "8", "7", "1"]

    assert run("changed.sh", "viewer") == "304\n"

    said = json.loads(run("review.sh", "reviewer", CAPTURE=str(seen[0].capture_id)))
    assert (said["label"], said["by"], said["note"]) == ("broken", "the reviewer", "a corner is missing")

    line.see(2, 0, "intact", operations_on_edge=12)
    items = run("mtconnect.py", "viewer").splitlines()
    assert [items[pocket - 1] for pocket in (1, 2, 7, 8)] == ["1 UNKNOWN ", "2 USED 12", "7 BROKEN ", "8 EXPIRED "]

    refused = Program(console, token_of(console, "the viewer")).get("verdicts", limit=1001)
    assert refused.json() == example("problem")


def test_head_is_answered_wherever_get_is(line, console) -> None:
    line.see(1, outcome="intact")
    client = Program(console, token_of(console, "the viewer")).client
    gets = [
        route.path for of in RESOURCES for route in of.routes if isinstance(route, APIRoute) and "GET" in route.methods
    ]
    for path in [f"{PREFIX}{path}" for path in gets if "{" not in path] + ["/health", "/login", "/static/icon.svg"]:
        said, asked = client.get(path), client.head(path)
        told = [{name: of.headers.get(name) for name in ("ETag", "Content-Type", "Location")} for of in (said, asked)]
        assert (asked.status_code, told[1], asked.content) == (said.status_code, told[0], b""), path


def test_the_page_names_every_address_and_no_other() -> None:
    there = {
        f"{method} {PREFIX}{route.path}"
        for resource in RESOURCES
        for route in resource.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert set(re.findall(r"`((?:GET|POST|DELETE) /api/v1/[^`]+)`", DOCUMENT)) == there
