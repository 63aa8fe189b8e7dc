"""Everything that a document names is there: files, headings, modules and tests."""

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
    text = text_of(document)
    files = {file.name for folder in FOLDERS for file in (ROOT / folder).rglob("*.*")}
    named = {path for path in _PATH.findall(text) if not (ROOT / path).exists()}
    named |= set(_FILE.findall(" ".join(spans_of(document)))) - files
    named |= {name for name in _MODULE.findall(_LINK.sub("", text)) if not is_there(name)}
    assert named == set()


def test_every_test_that_a_document_names_is_there() -> None:
    named = {name for document in DOCUMENTS for name in re.findall(r"(test_\w+\.py)::(\w+)", text_of(document))}
    assert len(named) > 60
    tests = {(file.name, name) for file in (ROOT / "tests").rglob("test_*.py") for name in names_in(file)}
    assert named <= tests, f"not there: {named - tests}"


def test_every_target_of_make_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        name for document in DOCUMENTS for name in re.findall(r"(?:^|`)make ([a-z-]+)", text_of(document), re.MULTILINE)
    }
    assert len(named) > 8
    assert named <= targets, f"not there: {named - targets}"
