"""A labelled folder, from its files to captures with reviews, with what there is to say of it: for the commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.engine.database import Database
from db.terminal.person import who
from producer.storage.store import ImageStore
from producer.terminal.console import TerminalConsole
from worker.dataset.class_names import Meanings
from worker.learning.folder_import import Imported, Photographs, import_photographs, photographs
from worker.runtime.notices import tell_notes, tell_skipped
from worker.runtime.progress import Progress


@dataclass(frozen=True)
class TakenInFolder:
    """Which `photographs` there were in a folder and what came of it."""

    photographs: Photographs
    imported: Imported

    def sentence(self) -> str:
        """It in one line."""
        return (
            f"{self.imported.new} new, {self.imported.changed} with another label than before, "
            f"{self.imported.known} known as they are, {len(self.photographs.skipped)} skipped"
        )

    def as_json(self) -> dict[str, Any]:
        """It for programs."""
        skipped = [{"file": str(path), "reason": reason} for path, reason in self.photographs.skipped]
        return {**asdict(self.imported), "skipped": skipped, "warnings": list(self.photographs.notes)}


def take_in(
    folder: Path,
    meaning: Callable[[Sequence[str]], Meanings],
    *,
    table: Path | None,
    group_column: str | None,
    images: ImageStore,
    database: Database,
    progress: Progress,
) -> TakenInFolder:
    """Look at the photographs in `folder` and record them, as `worker.learning.folder_import` does. Raises what that
    raises."""
    seen = photographs(
        folder,
        meaning=meaning,
        table=table,
        group_column=group_column,
        progress=lambda done, total: progress("looking at the photographs", done, total),
    )
    imported = import_photographs(
        seen.photos,
        name=folder.resolve().name,
        images=images,
        database=database,
        at=datetime.now(UTC),
        signed=who(),
        progress=lambda done, total: progress("taking them in", done, total),
    )
    return TakenInFolder(seen, imported)


def tell_folder(photographs: Photographs, console: TerminalConsole) -> None:
    """Print each file that is not used with its reason, and what was not understood."""
    tell_skipped(photographs.skipped, console)
    tell_notes(photographs.notes, console)
