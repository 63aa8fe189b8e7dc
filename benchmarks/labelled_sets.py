"""The labelled folders that a benchmark is given: their rows and their photographs."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path


def labelled_sets(folders: Sequence[Path]) -> Iterator[tuple[Path, list[dict[str, str]], list[Path]]]:
    """Each folder, the rows of its `labels.csv`, and the file of each row; none where one has no such list."""
    if not folders or not all((folder / "labels.csv").is_file() for folder in folders):
        print("skipped: give folders of labelled photographs, each with a labels.csv that has a column insert")
        return
    for folder in folders:
        rows = list(csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()))
        yield folder, rows, [next(folder.rglob(Path(row["file"]).name)) for row in rows]
