"""The pictures of the packages show their folders, as import-linter enforces them, and what these import."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LAYERS = {
    contract["containers"][0]: [[folder.strip() for folder in layer.split("|")] for layer in contract["layers"]]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    if contract["type"] == "layers" and "." not in contract["containers"][0]
}
"""The folders of each package, the highest layer first."""


def picture_of(package: str) -> str:
    found = re.search(rf"^### `{package}`\n\n```mermaid\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no picture of {package}"
    return found[1]


@pytest.mark.parametrize("package", LAYERS)
def test_a_package_s_picture_shows_all_of_its_folders(package: str) -> None:
    shown = re.findall(r'^ +(\w+)\["', picture_of(package), re.MULTILINE)
    assert sorted(shown) == sorted(folder for layer in LAYERS[package] for folder in layer)


def arrows_of(package: str) -> set[tuple[str, str]]:
    chains = re.findall(r"^ +(\w+(?: --> \w+)+)$", picture_of(package), re.MULTILINE)
    return {arrow for chain in chains for arrow in pairwise(chain.split(" --> "))}


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*LAYERS, cache_dir=None)


def imports_between_folders(package: str) -> set[tuple[str, str]]:
    """Which folder of a package imports which other one."""
    return {
        (importing.split(".")[1], imported.split(".")[1])
        for importing in imports().find_descendants(package)
        for imported in imports().find_modules_directly_imported_by(importing)
        if imported.startswith(f"{package}.") and imported.split(".")[1] != importing.split(".")[1]
    }


def led_to(folder: str, arrows: set[tuple[str, str]]) -> set[str]:
    """What the arrows from a folder lead to, directly or through others."""
    ends = {end for start, end in arrows if start == folder}
    return ends.union(*(led_to(end, arrows) for end in ends))


@pytest.mark.parametrize("package", LAYERS)
def test_a_folder_imports_only_what_its_arrows_lead_to(package: str) -> None:
    arrows = arrows_of(package)
    hidden = [pair for pair in sorted(imports_between_folders(package)) if pair[1] not in led_to(pair[0], arrows)]
    assert hidden == []


@pytest.mark.parametrize("package", LAYERS)
def test_every_arrow_of_a_picture_is_an_import(package: str) -> None:
    assert arrows_of(package) - imports_between_folders(package) == set()
