"""Matches file names in a table with the files of a folder, despite other paths, accents or capitals."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Matched:
    """The files that a table's lines name: `files` by line.

    `nowhere` are lines that name no file, `by_case` those whose name differs in capitals, and `ambiguous` are names
    that files of several classes have.
    """

    files: dict[int, Path] = field(default_factory=dict)
    nowhere: list[int] = field(default_factory=list)
    by_case: list[int] = field(default_factory=list)
    ambiguous: list[tuple[int, str]] = field(default_factory=list)


def match(files: Sequence[Path], named: Iterable[tuple[int, str, str]]) -> Matched:
    """Find the file that each line names, given as its number, the file's text and the class's text ("" for none).

    A name is `class/name`, with any path before it and either slash, or the name alone where one class has it. Names
    are compared as NFC, first as they are, then without regard to capitals.
    """
    exact, loose = _index(files, str), _index(files, str.casefold)
    classes = {_nfc(file.parent.name).casefold() for file in files}
    matched = Matched()
    for line, text, owner in named:
        parts = [part for part in _nfc(text).replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts:
            continue
        if len(parts) == 1 and owner:
            parts = [_nfc(owner), *parts]
        if len(parts) > 1 and parts[-2].casefold() not in classes:
            parts = parts[-1:]  # a path from before the images were sorted into classes
        key = "/".join(parts[-2:])
        candidates = exact.get(key, [])
        if not candidates:
            candidates = loose.get(key.casefold(), [])
            if len(candidates) == 1:
                matched.by_case.append(line)
        if len(candidates) == 1:
            matched.files[line] = candidates[0]
        elif candidates:
            matched.ambiguous.append((line, parts[-1]))
        else:
            matched.nowhere.append(line)
    return matched


def _index(files: Sequence[Path], written: Callable[[str], str]) -> dict[str, list[Path]]:
    """The files under `class/name` and under their bare name."""
    index: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        name, owner = _nfc(file.name), _nfc(file.parent.name)
        for key in (name, f"{owner}/{name}"):
            index[written(key)].append(file)
    return index


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
