"""The document names the test behind each promise; here the tests are held against it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_document_names_is_there() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = {tuple(name.split("::")) for name in re.findall(r"test_\w+\.py::\w+", text)}
    assert len(named) > 15
    tests = {
        (file.name, node.name)
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert named <= tests, f"not there: {named - tests}"
