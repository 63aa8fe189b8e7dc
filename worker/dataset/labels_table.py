"""`labels.csv`: which photographs of a labelled folder show the same insert, however a spreadsheet has saved it.

All commands that take such a folder read the table here. A table that cannot be used raises `TableError`; what was not
understood is a note beside the result, because a table that is ignored in silence would leave scores that are too good.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from producer.terminal.counts import counted
from worker.dataset.class_column import of_another_class
from worker.dataset.name_matching import Matched, match

LABELS_FILE: Final = "labels.csv"
_TABLES: Final = (".csv", ".tsv", ".xlsx", ".xls", ".ods")
GROUP_COLUMNS: Final = ("group", "insert")
"""Columns that say which images show the same thing, in order of preference."""

DELIMITERS: Final = (",", ";", "\t", "|")

HEADER_WITHIN: Final = 20
"""In how many lines a header is looked for that is not the first."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks and their encodings; UTF-32 before UTF-16, because its mark begins with that of UTF-16."""


class TableError(ValueError):
    """The table lacks what is needed; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Table:
    """A table as it was read: `columns` in lower case and stripped, and `rows` by line number, each by column.

    `notes` are sentences about what was not understood.
    """

    path: Path
    columns: tuple[str, ...]
    rows: dict[int, dict[str, str]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grouping:
    """The `column` that the groups come from and the group of each file, both None where there are no groups."""

    column: str | None = None
    groups: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def find_table(root: Path) -> tuple[Path | None, tuple[str, ...]]:
    """Return `labels.csv` in `root`, in any spelling, and a note about a file that looks like one and is not read.

    Raises:
        TableError: what has the name is no file, or several files have it.
    """
    named = sorted(path for path in root.iterdir() if path.name.casefold() == LABELS_FILE)
    beside = sorted(path for path in root.iterdir() if path.is_file() and _may_be_meant(path.name.casefold()))
    for path in named:
        if not path.is_file():
            raise TableError(f"{path} is {_kind(path)}, not a table: replace it by the file itself, or remove it")
    if len(named) > 1:
        raise TableError(f"{root} has {' and '.join(path.name for path in named)}: keep the one that is to be read")
    others = [path.name for path in beside if path not in named]
    if named:
        return named[0], ()
    if others:
        return None, (f"{others[0]} is not read: save it as {LABELS_FILE}, with the columns file and group",)
    return None, ()


def _may_be_meant(name: str) -> bool:
    """Whether a file's name, in small letters, is that of a table saved in another form or under another name.

    Windows hides the ending of `labels.csv.txt`. No other table belongs beside the classes' folders.
    """
    return name != LABELS_FILE and (name.startswith("label") or name.endswith(_TABLES))


def _kind(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return f"a link to {path.readlink()}, where nothing is"
    return "a folder" if path.is_dir() else "a pipe or a device"


def read_table(path: Path) -> Table:
    """Read a table with commas, semicolons, tabs or bars, in UTF-8, UTF-16 or Windows-1252.

    Raises:
        TableError: it is none of these, or its header names a column twice.
    """
    text, notes = _decoded(path)
    delimiter, text, skipped = _delimiter(text)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        numbered = [(lines.line_num + skipped, [_tidy(cell) for cell in line]) for line in lines]
    except csv.Error as error:
        raise TableError(f"{path} is not a table that can be read: {error}") from error
    filled = [(number, cells) for number, cells in numbered if any(cells)]
    if not filled:
        raise TableError(f"{path} is empty: give it the columns file and group, or remove it")
    (_, header), *body = filled
    columns = tuple(name.casefold() for name in header)
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise TableError(f"{path} has the column '{twice[0]}' twice: rename one of them")
    if "file" not in columns and (below := _header_below(text)):
        raise TableError(
            f"{path} has its header in line {below + skipped}: the first line must be the header"
            "; remove what is above it"
        )
    if uneven := [number for number, cells in body if len(cells) > len(columns) and any(cells[len(columns) :])]:
        cells = dict(body)[uneven[0]]
        notes.append(
            f"{path.name}: {counted(len(uneven), 'line')} with more cells than the header has, the first is line "
            f"{uneven[0]} with {len(cells)} instead of {len(columns)}: text with a '{delimiter}' in it needs quotes"
        )
    rows = {number: dict(zip(columns, cells, strict=False)) for number, cells in body}
    return Table(path, columns, rows, tuple(notes))


def read_groups(
    root: Path,
    files: Sequence[Path],
    *,
    beside: Sequence[Path] = (),
    column: str | None = None,
    table: Path | None = None,
    required: bool = True,
) -> Grouping:
    """Return the group of each of `files`, images in the class folders of `root`.

    `beside` are images there that are not used: the table may name them. Groups come from `column` of `table` (default:
    `labels.csv` in `root`, and a column of `GROUP_COLUMNS`). Without `required` a note says that there is no such
    column, instead of an error.

    Raises:
        TableError: groups were asked for, or there is a column of `GROUP_COLUMNS`, and an image has none.
    """
    required = table is not None or (column is not None and required)
    path, notes = (table, ()) if table is not None else find_table(root)
    if path is None or not path.is_file():
        absent = f"there is no {path or root / LABELS_FILE} to take the groups from"
        if required:
            raise TableError(absent + "".join(f" ({note})" for note in notes))
        return Grouping(notes=notes if column is None else (*notes, absent))
    content = read_table(path)
    noted = (*content.notes, *of_another_class(path, content.rows, [*files, *beside]))
    wanted = GROUP_COLUMNS if column is None else (_tidy(column).casefold(),)
    chosen = next((name for name in wanted if name in content.columns), None)
    listed = ", ".join(name for name in content.columns if name)
    if chosen is None and not required:
        advice = f"{path.name} has the columns {listed}, and none of them is {' or '.join(wanted)}"
        advice += ": nothing says which images show the same insert (name one of its columns)"
        return Grouping(notes=(*noted, advice))
    if chosen is None or "file" not in content.columns:
        raise TableError(
            f"{path} has the columns {listed}; it needs 'file' and '{chosen or wanted[0]}' (a comma, semicolon "
            "or tab between them)"
        )
    matched = match(
        [*files, *beside], [(n, row.get("file", ""), row.get("class", "")) for n, row in content.rows.items()]
    )
    groups = _groups(content, matched, chosen, files)
    if missing := [file for file, group in zip(files, groups, strict=True) if not group]:
        raise TableError(
            f"{path} names no '{chosen}' for {len(missing)} of {len(files)} images, the first is "
            f"{missing[0].parent.name}/{missing[0].name}; add them, or the grouped scores would leak"
            + "".join(f"; {note}" for note in _unmatched(path, matched, content))
        )
    notes = (*noted, *_unmatched(path, matched, content), *_alike(path, groups, chosen))
    return Grouping(chosen, tuple(groups), notes)


def _groups(table: Table, matched: Matched, column: str, files: Sequence[Path]) -> list[str]:
    if matched.ambiguous:
        line, name = matched.ambiguous[0]
        one = next(file for file in files if unicodedata.normalize("NFC", file.name).casefold() == name.casefold())
        raise TableError(
            f"{table.path} names {name} in line {line}, which fits several images: write it with its class, like "
            f"{one.parent.name}/{one.name}"
        )
    groups: dict[Path, str] = {}
    for line, file in matched.files.items():
        group = table.rows[line].get(column, "")
        if groups.setdefault(file, group) != group:
            name = f"{file.parent.name}/{file.name}"
            raise TableError(f"{table.path} puts {name} into two groups, '{groups[file]}' and '{group}'")
    return [groups.get(file, "") for file in files]


def _alike(path: Path, groups: Sequence[str], column: str) -> list[str]:
    """A note about groups whose names differ in capitals or blanks only: they are probably one."""
    names: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        names[" ".join(group.casefold().split())].add(group)
    twins = sorted(sorted(group) for group in names.values() if len(group) > 1)
    if not twins:
        return []
    first = " and ".join(f"'{name}'" for name in twins[0])
    return [
        (
            f"{path.name}: {counted(len(twins), column)} in other letters too (capital or small), the first is {first}"
            "; taken for different ones, and if they are one, the grouped scores leak"
        )
    ]


def _unmatched(path: Path, matched: Matched, table: Table) -> list[str]:
    notes = []
    if matched.nowhere:
        line = matched.nowhere[0]
        notes.append(
            f"{path.name}: {counted(len(matched.nowhere), 'row')} that name no image here, the first is "
            f"'{_short(table.rows[line].get('file', ''))}' in line {line}"
        )
    if matched.by_case:
        line = matched.by_case[0]
        notes.append(
            f"{path.name}: {counted(len(matched.by_case), 'name')} written in other letters than the file's (capital "
            f"or small), the first is '{table.rows[line].get('file', '')}' in line {line}; taken all the same"
        )
    return notes


def _decoded(path: Path) -> tuple[str, list[str]]:
    data = path.read_bytes()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:200]:  # UTF-16 without its mark: every other byte of plain letters
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    notes: list[str] = []
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        try:
            text = data.decode("cp1252") if encoding is None else ""
        except UnicodeDecodeError:
            text = ""
        if not text:
            raise TableError(f"{path} is in no encoding that is known here: save it as CSV in UTF-8") from error
        notes.append(f"{path.name} is not in UTF-8; it was read as Windows-1252 (save it in UTF-8 to be sure)")
    if "\0" in text:
        raise TableError(f"{path} is not a table that can be read: save it as CSV in UTF-8")
    return text, notes


def _delimiter(text: str) -> tuple[str, str, int]:
    """The delimiter, the text without a line that only declares it (Excel's `sep=;`), and the number of such lines."""
    if declared := re.match(r"\s*\"?sep=(.)\"?[;,\t]*\r?\n", text, re.IGNORECASE):
        return declared[1], text[declared.end() :], 1
    header = next((line for line in text.splitlines() if line.strip()), "")

    def worth(delimiter: str) -> tuple[bool, int]:
        cells = [_tidy(cell).casefold() for cell in next(csv.reader([header], delimiter=delimiter))]
        return "file" in cells, len(cells)

    try:
        return max(DELIMITERS, key=worth), text, 0
    except csv.Error:
        return ",", text, 0


def _header_below(text: str) -> int:
    """The line of the header where something else is above it, such as a title or a comment; 0: there is none."""
    for number, line in enumerate(text.splitlines()[:HEADER_WITHIN], 1):
        if any("file" in (_tidy(cell.strip(' "')).casefold() for cell in line.split(by)) for by in DELIMITERS):
            return number
    return 0


def _tidy(cell: str) -> str:
    """A cell without blanks around it (no-break ones too), composed as NFC."""
    return unicodedata.normalize("NFC", cell).strip().strip("\ufeff").strip()


def _short(cell: str) -> str:
    """A cell in one line: after a quote that is never closed, it has all the rest of the file."""
    text = " ".join(cell.split())
    return text if len(text) <= 120 else f"{text[:119]}…"
