"""Verdicts as CSV: `insert-db export`, and the search page of the console."""

from __future__ import annotations

import csv
import errno
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from db.line.rows import VerdictRow
from db.queries.plain_values import plain
from producer.files.durable_files import replaced_file
from producer.terminal.output import SupportsWrite

# How a spreadsheet recognises a formula, after the cell was trimmed: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(rows: Iterable[VerdictRow], file: SupportsWrite) -> int:
    """Write rows with a line of headings, and return how many there were.

    Text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.
    """
    names = [field.name for field in fields(VerdictRow) if field.name != "fault"]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([cell(plain(getattr(row, name))) for name in names])
        count += 1
    return count


def write_csv_file(rows: Iterable[VerdictRow], path: Path) -> int:
    """As `write_csv`, into a file that appears, or is replaced, only when it is complete.

    Raises:
        OSError: there is no such folder, or the file cannot be written.
    """
    if not path.parent.is_dir():  # a mistyped folder does not become one
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    # utf-8-sig, because spreadsheets take a file without the mark for their own code page.
    with replaced_file(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        return write_csv(rows, file)


def cell(value: Any) -> Any:
    """A value as a spreadsheet may read it."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value
