"""The store of weight files: a folder that keeps each file under its digest, with its metadata beside it.

`<sha256>.h5` is the file, `<sha256>.json` its entry. There is one entry a file and no common index, so that two
commands at once cannot overwrite each other's work.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from producer.files.durable_files import replaced_file
from producer.files.file_digest import digest_beginning, file_digest
from producer.terminal.output import visible
from worker.backbones.names import BackboneError, WeightsMissing, WeightsUnfit


class WeightFileEntry(BaseModel):
    """The metadata of one weight file.

    `top` says whether it includes the classification layers; `missing` names the network's layers that it has no usable
    weights for, `usable_to` the deepest layer that can be loaded from it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    digest: str
    top: bool
    size: int
    source: str
    imported_at: AwareDatetime
    layers: int
    missing: tuple[str, ...] = ()
    usable_to: str


class WeightsStore:
    """The weight files in one folder, which is created with the first file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, entry: WeightFileEntry) -> Path:
        """Return where the entry's file is."""
        return self.folder / f"{entry.digest}.h5"

    def entries(self) -> list[WeightFileEntry]:
        """Return all entries, in the order of their import.

        Raises:
            BackboneError: an entry cannot be read.
        """
        entries = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                entries.append(WeightFileEntry.model_validate_json(path.read_bytes()))
            except ValidationError as error:
                raise BackboneError(
                    f"the weights store's entry {path} is damaged: remove it and import its file again"
                ) from error
        return sorted(entries, key=lambda entry: (entry.imported_at, entry.digest))

    def for_family(self, family: str, needed: Collection[str]) -> WeightFileEntry | None:
        """Return the file for a family that has all the `needed` layers, or None.

        Where several have them it is the one imported first: a later import must not change, unasked, the features
        that a running line's model was trained on.
        """
        fitting = [
            entry for entry in self.entries() if entry.family == family and not set(needed).intersection(entry.missing)
        ]
        return fitting[0] if fitting else None

    def named(self, name: str) -> WeightFileEntry:
        """Return the entry whose digest begins with `name` (six characters or more) or whose source file has that name.

        Raises:
            WeightsMissing: there is none.
            BackboneError: there are several.
        """
        beginning = digest_beginning(name)
        entries = [
            entry
            for entry in self.entries()
            if entry.source == visible(name) or (beginning and entry.digest.startswith(beginning))
        ]
        if not entries and "://" in name:
            raise WeightsMissing(f"weights are run from this machine: first `insert-worker weights import {name}`")
        if not entries:
            raise WeightsMissing(
                f"there is no file {name} and nothing of that name or digest in the weights store {self.folder}; "
                "`insert-worker weights list` shows what is there"
            )
        if len(entries) > 1:
            digests = ", ".join(entry.digest[:12] for entry in entries)
            raise BackboneError(f"{name} means several files in the weights store ({digests}): name one by its digest")
        return entries[0]

    def add(
        self, path: Path, family: str, *, top: bool, layers: int, missing: Collection[str], usable_to: str
    ) -> WeightFileEntry:
        """Store a copy of a file that was checked, under its digest, and return its entry.

        A file that is there already keeps the time that it was imported at.

        Raises:
            OSError: the file cannot be read, or the folder not written to.
        """
        digest = file_digest(path)
        entry_path = self.folder / f"{digest}.json"
        entry = WeightFileEntry(
            family=family,
            digest=digest,
            top=top,
            size=path.stat().st_size,
            source=visible(path.name),  # which may be no text
            imported_at=datetime.now(UTC),
            layers=layers,
            missing=tuple(missing),
            usable_to=usable_to,
        )
        if entry_path.exists():
            before = next(entry for entry in self.entries() if entry.digest == digest)
            entry = entry.model_copy(update={"imported_at": before.imported_at})
        # The file before its entry, so that an entry never names a file that is not there.
        with replaced_file(self.path(entry)) as temporary:
            shutil.copyfile(path, temporary)
            if file_digest(temporary) != digest:
                raise WeightsUnfit(f"{path} changed while it was imported: import it again")
        with replaced_file(entry_path) as temporary:
            temporary.write_text(entry.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return entry

    def check(self, entry: WeightFileEntry, digest: str) -> None:
        """Compare the digest that the entry's file has now with the one that it was imported with.

        Raises:
            WeightsUnfit: they differ.
        """
        if digest != entry.digest:
            raise WeightsUnfit(
                f"the weights file {self.path(entry)} was changed since it was imported (its SHA-256 is now {digest}): "
                f"import {entry.source} again"
            )

    def present_path(self, entry: WeightFileEntry) -> Path:
        """Return the path of the entry's file, without checking its content (see `check`).

        Raises:
            WeightsUnfit: the file is gone.
        """
        path = self.path(entry)
        if not path.is_file():
            raise WeightsUnfit(f"the weights file {path} is gone: import {entry.source} again")
        return path

    def checked_path(self, entry: WeightFileEntry) -> Path:
        """Return the path of the entry's file after checking its digest.

        Raises:
            WeightsUnfit: the file is gone or is not the one that was imported.
        """
        path = self.present_path(entry)
        self.check(entry, file_digest(path))
        return path
