"""Checks stored features against their digests, and names the labelled captures that damage affects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from db.engine.database import Database
from db.learning import reviews
from producer.terminal.counts import counted
from worker.features import catalogue, virtual_lab_files
from worker.features.extraction import key_of
from worker.features.lab_files import LABELS_FILE
from worker.features.shards import Broken
from worker.features.store import FeatureStoreError
from worker.runtime.progress import Progress

_SHOWN: Final = 10
"""Captures that are named for each file; `--json` has them all."""


@dataclass(frozen=True)
class Verification:
    """What is wrong with one feature store: of how many `shards`, which are `broken`.

    `captures` lists, by the name of each broken shard, the labelled captures whose features it had. `labels` says what
    was wrong with the labels in the lab's form, `problem` why the store could not be read at all. `aside` are the files
    that were put aside, now or by earlier verifications.
    """

    fingerprint: str
    backbone: str | None
    shards: int
    broken: tuple[Broken, ...] = ()
    captures: dict[str, list[str]] | None = None
    labels: str | None = None
    aside: tuple[Path, ...] = ()
    problem: str | None = None

    def wrong(self) -> str | None:
        """Return in a line what is wrong, or None."""
        if self.problem is not None:
            return self.problem
        if self.broken:
            return f"{len(self.broken)} of {counted(self.shards, 'file')} not as written"
        return self.labels

    def detail(self) -> dict[str, Any]:
        """Return all that was found as plain JSON values, for programs."""
        broken = [
            {
                "name": shard.name,
                "reason": shard.reason,
                "aside": str(shard.aside),
                "sights": len(shard.keys),
                "captures": (self.captures or {})[shard.name],
            }
            for shard in self.broken
        ]
        aside = [str(path) for path in self.aside]
        return {"shards": self.shards, "broken": broken, "labels": self.labels, "aside": aside}

    def lines(self) -> list[str]:
        """Return it in lines for a person."""
        name = f"{self.backbone or 'unknown backbone'}, fingerprint {self.fingerprint[:12]}"
        if self.problem is not None:
            return [f"{name}: {self.problem}"]
        lines = [f"{name}: {self.wrong() if self.broken else counted(self.shards, 'file') + ', all as written'}"]
        if self.labels is not None:
            lines.append(f"  {LABELS_FILE} was removed, the next training writes it again: {self.labels}")
        for shard in self.broken:
            captures = (self.captures or {})[shard.name]
            which = f"features of {counted(len(shard.keys), 'image')}" if shard.keys else "features of unknown images"
            more = f" and {len(captures) - _SHOWN} more (--json has all)" if len(captures) > _SHOWN else ""
            lines.append(f"  {shard.name}: {which}; put aside as {shard.aside}")
            lines.append(f"    {shard.reason}")
            if captures:
                lines.append(f"    labelled captures: {', '.join(captures[:_SHOWN])}{more}")
        if self.aside:
            lines.append(
                f"  `insert-worker extract --backbone {self.backbone}` makes anew from the photographs what is missing "
                f"(with the weights of this fingerprint); what lies aside in {self.aside[0].parent} may then be deleted"
            )
        return lines


def verify_stores(root: Path, database_url: str, beginning: str, progress: Progress) -> list[Verification]:
    """Verify the feature stores below `root` whose fingerprint has this `beginning`; the database names the captures.

    Raises:
        ValueError: there are feature stores, but none that begins so.
    """
    every = catalogue.fingerprints(root)
    wanted = [fingerprint for fingerprint in every if fingerprint.startswith(beginning)]
    if every and not wanted:
        raise ValueError(f"no feature store begins with {beginning!r}; `insert-worker features list` has them")
    return [_verify(root, fingerprint, database_url, progress) for fingerprint in wanted]


def _verify(root: Path, fingerprint: str, database_url: str, progress: Progress) -> Verification:
    try:
        store = catalogue.find(root, fingerprint)
    except FeatureStoreError as error:
        return Verification(fingerprint, None, 0, problem=str(error))
    if store is None:
        missing = f"{root / fingerprint / catalogue.MANIFEST} is missing; `insert-worker extract` writes it anew"
        return Verification(fingerprint, None, 0, problem=missing)
    read = [0]

    def seen(done: int, total: int) -> None:
        read[0] = total
        progress(f"{store.backbone} {fingerprint[:12]}", done, total)

    broken = tuple(store.verify(seen))
    keys = {key for shard in broken for key in shard.keys}
    by_key = _captures(database_url, keys) if keys else {}
    captures = {shard.name: [capture for key in shard.keys for capture in by_key.get(key, ())] for shard in broken}
    labels = virtual_lab_files.verify(store)
    return Verification(fingerprint, store.backbone, read[0], broken, captures, labels, store.aside())


def _captures(database_url: str, keys: Collection[str]) -> dict[str, list[str]]:
    """Return the labelled captures by their feature keys."""
    database = Database(database_url)
    try:
        database.check_schema()
        with database.reading() as session:
            items = [item for item in reviews.labelled(session) if key_of(item) in keys]
    finally:
        database.close()
    captures: dict[str, list[str]] = {}
    for item in items:
        captures.setdefault(key_of(item), []).append(str(item.capture_id))
    return captures
