"""The pictures of the packages are held against the folders and layers that import-linter enforces."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

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


@pytest.mark.parametrize("package", LAYERS)
def test_every_arrow_of_a_picture_leads_to_a_lower_layer(package: str) -> None:
    height = {folder: -place for place, layer in enumerate(LAYERS[package]) for folder in layer}
    arrows = [
        arrow
        for chain in re.findall(r"^ +(\w+(?: --> \w+)+)$", picture_of(package), re.MULTILINE)
        for arrow in pairwise(chain.split(" --> "))
    ]
    assert {end for arrow in arrows for end in arrow} == height.keys()
    assert [arrow for arrow in arrows if height[arrow[0]] <= height[arrow[1]]] == []
