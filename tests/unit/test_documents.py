"""Everything that a document or a comment of the deployment names is there: files, headings, modules and tests."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("producer", "db", "worker", "tests", "benchmarks", "deploy", "docs", "examples", "locks")
"""Folders of the project; what begins with one of them is a path in it, or a module."""

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(file for folder in ("docs", "deploy", "examples") for file in (ROOT / folder).rglob("*.md")),
]

CONFIGURATION = [
    *(ROOT / name for name in ("Makefile", "Dockerfile", "docker-compose.yml", ".env.example")),
    *sorted(file for file in (ROOT / "deploy").rglob("*") if file.is_file() and file.suffix not in (".md", ".json")),
]
"""What runs or configures the project, and explains itself by comments."""

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_PATH = re.compile(rf"(?<![\w/.-])(?<!exec )(?:{'|'.join(FOLDERS)})/[\w./-]*\w")  # kubectl means its own deploy/NAME
_FILE = re.compile(r"(?<![\w/.*-])\w+\.(?:py|sh)(?![\w.])")
_MODULE = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS[:5])})(?:\.[A-Za-z_]\w*)+")


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def prose_of(document: Path) -> str:
    """A document without its blocks of code."""
    return _FENCE.sub("", text_of(document))


def spans_of(document: Path) -> list[str]:
    """What a document writes as code within a line."""
    return re.findall(r"`([^`\n]+)`", prose_of(document))


def comments_of(file: Path) -> str:
    return "\n".join(re.findall(r"(?:^|\s)#+ (.*)", text_of(file)))


@cache
def files_by_name() -> set[str]:
    return {file.name for folder in FOLDERS for file in (ROOT / folder).rglob("*.*")}


def not_there(text: str, names: str) -> set[str]:
    """The paths and modules in a text, and the names of files among `names`, that the project does not have."""
    lost = {path for path in _PATH.findall(text) if not (ROOT / path).exists()}
    lost |= set(_FILE.findall(names)) - files_by_name()
    return lost | {name for name in _MODULE.findall(_LINK.sub("", text)) if not is_there(name)}


@cache
def anchors_of(document: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *$", prose_of(document), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        same = sum(1 for anchor in anchors if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", anchor))
        anchors.add(f"{slug}-{same}" if same else slug)
    return anchors


@cache
def names_in(module: Path) -> set[str]:
    """What a module defines at its top level."""
    names: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return names


def is_there(name: str) -> bool:
    """Whether a dotted name is a package, a module, or something that a module defines (or a part of that)."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:end])
        if module.with_suffix(".py").is_file():
            return end == len(parts) or parts[end] in names_in(module.with_suffix(".py"))
        if module.is_dir():
            return end == len(parts)
    return False


def test_there_are_documents_to_look_at() -> None:
    assert len(DOCUMENTS) > 25
    assert sum(len(_LINK.findall(prose_of(document))) for document in DOCUMENTS) > 60
    assert sum(len(_PATH.findall(text_of(document))) for document in DOCUMENTS) > 60


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    lost = []
    for link in _LINK.findall(prose_of(document)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.is_relative_to(ROOT) or not target.exists() or (anchor and anchor not in anchors_of(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_module_that_it_names_is_there(document: Path) -> None:
    assert not_there(text_of(document), " ".join(spans_of(document))) == set()


def test_every_file_and_module_that_a_comment_of_the_deployment_names_is_there() -> None:
    comments = {str(file.relative_to(ROOT)): comments_of(file) for file in CONFIGURATION}
    assert len(_PATH.findall(" ".join(comments.values()))) > 20
    lost = {name: not_there(comment, comment) for name, comment in comments.items()}
    assert {name: names for name, names in lost.items() if names} == {}


def test_the_index_of_the_documents_has_all_of_them() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {link.partition("#")[0] for link in _LINK.findall(prose_of(index))}
    assert {file.name for file in index.parent.glob("*.md")} - linked - {index.name} == set()


def test_every_test_that_a_document_names_is_there() -> None:
    named = {name for document in DOCUMENTS for name in re.findall(r"(test_\w+\.py)::(\w+)", text_of(document))}
    assert len(named) > 60
    tests = {(file.name, name) for file in (ROOT / "tests").rglob("test_*.py") for name in names_in(file)}
    assert named <= tests, f"not there: {named - tests}"


def test_a_test_is_named_with_its_file() -> None:
    """Without it nobody would notice that it has another name by now."""
    alone = re.compile(r"(?<![\w:/])test_\w+\b(?!\.py)")
    named = {str(document.relative_to(ROOT)): alone.findall(text_of(document)) for document in DOCUMENTS}
    assert {name: tests for name, tests in named.items() if tests} == {}


def test_every_target_of_make_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        name for document in DOCUMENTS for name in re.findall(r"(?:^|`)make ([a-z-]+)", text_of(document), re.MULTILINE)
    }
    assert len(named) > 8
    assert named <= targets, f"not there: {named - targets}"
