"""The column `class` of a table beside the folders: what counts is the folder, and a person may believe otherwise."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from producer.terminal.counts import counted
from worker.dataset.name_matching import match

CLASS_COLUMNS: Final = ("class", "label")


def of_another_class(table: Path, rows: Mapping[int, Mapping[str, str]], files: Sequence[Path]) -> tuple[str, ...]:
    """Return a note where rows give images another class than the folder that they are in; nothing where none do.

    Only what is the name of a folder counts as a class: the column may hold other words.
    """
    classes = {_plain(file.parent.name) for file in files}
    named = match(files, [(line, row.get("file", ""), "") for line, row in rows.items()]).files
    others = []
    for line, file in named.items():
        written = next((rows[line][column] for column in CLASS_COLUMNS if rows[line].get(column)), "")
        if _plain(written) in classes - {_plain(file.parent.name)}:
            others.append((line, f"{file.parent.name}/{file.name}", written))
    if not others:
        return ()
    line, name, written = others[0]
    note = (
        f"{table.name}: {counted(len(others), 'row')} with another class than the image's folder, the first is {name} "
        f"with '{written}' in line {line}: the folder counts, so move the image if the row is right"
    )
    return (note,)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
