"""Documents name the tests behind what they promise; here the tests are held against them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("document", "at_least"), [("reliability.md", 15), ("security.md", 5)])
def test_every_test_that_a_document_names_is_there(document: str, at_least: int) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    named = {tuple(name.split("::")) for name in re.findall(r"test_\w+\.py::\w+", text)}
    assert len(named) > at_least
    tests = {
        (file.name, node.name)
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert named <= tests, f"not there: {named - tests}"
