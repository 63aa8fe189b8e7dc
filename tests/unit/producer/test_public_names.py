"""What other programs import: `from producer import …`."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import producer

ROOT = Path(__file__).parents[3]


def test_every_public_name_is_there_and_documented() -> None:
    document = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    for name in producer.__all__:
        assert getattr(producer, name) is not None
        assert f"`{name}`" in document, f"docs/integration.md says nothing of {name}"


def test_type_checkers_and_python_find_the_same_names_in_the_same_modules() -> None:
    tree = ast.parse(Path(producer.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    checked = {
        str(node.module).removeprefix("producer."): tuple(alias.name for alias in node.names)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    assert checked == producer._MODULES
    assert sorted(name for names in checked.values() for name in names) == sorted(producer.__all__)


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, producer; print([name for name in sys.modules if name.startswith('producer.')])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_a_name_that_is_not_public_is_an_error_of_pythons_own_kind() -> None:
    with pytest.raises(ImportError, match="Sation"):
        from producer import Sation  # type: ignore[attr-defined] # noqa: F401


def test_the_types_of_all_packages_are_installed_for_those_who_import_them() -> None:
    """PEP 561."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    for package in ("producer", "worker", "db"):
        assert "py.typed" in data[package]
        assert (ROOT / package / "py.typed").is_file()
