"""Where modules are, and that imports run one way; the layers themselves are in pyproject.toml, for import-linter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("producer", "db", "worker")
MODULES_OF_A_PACKAGE = {"__init__.py", "settings.py"}
"""All that may lie in a package itself; every other module lives in a folder whose name says what for."""
MOST_LINES = 300
FRESH = ("producer/simulation/head.py", "worker/demo/data.py")
"""They write photographs into folders of their own, which nobody reads before all are there."""
TWINS = ("db.console.api.", "producer.contract.", "db.learning.evaluation_report")
"""What is said there of a thing has the thing's name: a row as a program gets it, a message, a report that is read."""
OF_SEVERAL_MODULES = {"producer/test_public_names.py", "db/console/reader/test_catalogs.py"}
SAYS_NOTHING = {"each", "found", "told", "given", "made", "asked"}


def sources() -> list[Path]:
    return [
        file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")) if "versions" not in file.parts
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_lives_in_a_folder(package: str) -> None:
    assert {file.name for file in (ROOT / package).glob("*.py")} <= MODULES_OF_A_PACKAGE


def test_every_folder_with_modules_is_a_package() -> None:
    """Without `__init__.py` neither the import contracts see it nor an installation has it."""
    folders = {file.parent for file in sources()}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_unit_tests_lie_as_their_modules_do() -> None:
    tests = (file.relative_to(ROOT / "tests/unit") for file in (ROOT / "tests/unit").rglob("test_*.py"))
    of_modules = [file for file in tests if file.parts[0] in PACKAGES]
    elsewhere = {
        str(file)
        for file in of_modules
        if not any(
            (ROOT / file.with_name(file.name.removeprefix("test_")).with_suffix(end)).exists() for end in (".py", "")
        )
    }
    assert elsewhere == OF_SEVERAL_MODULES


def test_no_two_modules_import_each_other_by_any_way_round() -> None:
    """Imports within functions and those for type checkers count too."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    # Raises CycleError, which names the circle.
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()


def test_no_module_is_longer_than_a_person_reads_in_one_go() -> None:
    lines = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in sources()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_a_class_name_is_one_thing_s() -> None:
    modules: dict[str, list[str]] = {}
    for file in sources():
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not module.startswith(TWINS):
                modules.setdefault(node.name, []).append(module)
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_every_folder_of_modules_says_what_it_is_for() -> None:
    silent = [str(file) for file in sources() if file.name == "__init__.py" and not file.read_text().startswith('"""')]
    assert silent == []


def root_of(node: ast.expr) -> str | None:
    """The name that an expression begins with."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.BinOp):
            node = node.left
        elif isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return None
    return node.id


def written_in_place(tree: ast.AST) -> Iterator[int]:
    """The lines that write a whole file elsewhere than at what `replaced_file` or `replaced_folder` gives."""
    temporary = {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.context_expr, ast.Call)
        and root_of(item.context_expr) in ("replaced_file", "replaced_folder")
        and isinstance(item.optional_vars, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_writing = node.func.attr in ("write_text", "write_bytes")
            if is_writing and root_of(node.func.value) not in temporary:
                yield node.lineno


def test_a_file_is_written_whole_or_not_at_all() -> None:
    lines = {
        str(file.relative_to(ROOT)): [*written_in_place(ast.parse(file.read_text("utf-8")))]
        for file in sources()
        if str(file.relative_to(ROOT)) not in FRESH
    }
    assert {file: places for file, places in lines.items() if places} == {}


def bound_names(tree: ast.AST) -> Iterator[str]:
    """The names of variables, arguments, targets of loops, attributes and functions, without underscores before."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg.lstrip("_")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name.lstrip("_")
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr.lstrip("_")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id.lstrip("_")


def test_nothing_has_a_name_that_says_nothing() -> None:
    names = {
        str(file.relative_to(ROOT)): SAYS_NOTHING.intersection(bound_names(ast.parse(file.read_text("utf-8"))))
        for file in sources()
    }
    assert {file: said for file, said in names.items() if said} == {}


def test_nothing_in_a_script_has_such_a_name_either() -> None:
    declared = re.compile(r"\b(?:const|let|function)\s+([^=;(]+)|\((\w+)\)\s*=>")
    names = {
        script.name: SAYS_NOTHING.intersection(
            word for match in declared.finditer(script.read_text("utf-8")) for word in re.findall(r"\w+", match[0])
        )
        for script in (ROOT / "db/console/static").glob("*.js")
    }
    assert len(names) > 10
    assert {script: said for script, said in names.items() if said} == {}
