"""Checks stored features against their digests, and names the labelled captures that damage affects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from db.engine.database import Database
from db.learning import reviews
from worker.features import catalogue
from worker.features.extraction import key_of
from worker.features.shards import Broken
from worker.features.store import FeatureStoreError
from worker.runtime.progress import Progress

_SHOWN: Final = 10
"""Captures that are named for each file; `--json` has them all."""


@dataclass(frozen=True)
class Verified:
    """What is wrong with one feature store: of how many `shards`, which are `broken`.

    `captures` lists, by the name of each broken shard, the labelled captures whose features it had. `problem` says why
    the store could not be read at all.
    """

    fingerprint: str
    backbone: str | None
    shards: int
    broken: tuple[Broken, ...] = ()
    captures: dict[str, list[str]] | None = None
    problem: str | None = None

    @property
    def whole(self) -> bool:
        """Whether all is as it was written."""
        return not self.broken and self.problem is None

    def as_json(self) -> dict[str, Any]:
        """It for programs."""
        broken = [
            {
                "name": each.name,
                "reason": each.reason,
                "aside": str(each.aside),
                "sights": len(each.keys),
                "captures": (self.captures or {})[each.name],
            }
            for each in self.broken
        ]
        return {
            "fingerprint": self.fingerprint,
            "backbone": self.backbone,
            "shards": self.shards,
            "broken": broken,
            "problem": self.problem,
        }


def verified(root: Path, database_url: str, beginning: str, progress: Progress) -> list[Verified]:
    """Verify the feature stores below `root` whose fingerprint has this `beginning`; the database names the captures.

    Raises `ValueError` when there are feature stores, but none that begins so.
    """
    every = catalogue.fingerprints(root)
    wanted = [each for each in every if each.startswith(beginning)]
    if every and not wanted:
        raise ValueError(f"no feature store begins with {beginning!r}; `insert-worker features list` has them")
    return [_verified(root, fingerprint, database_url, progress) for fingerprint in wanted]


def told(found: Verified) -> list[str]:
    """It in lines for a person."""
    name = f"{found.backbone or 'unknown backbone'}, fingerprint {found.fingerprint[:12]}"
    if found.problem is not None:
        return [f"{name}: {found.problem}"]
    if found.whole:
        return [f"{name}: {found.shards} files, all as they were written"]
    lines = [f"{name}: {len(found.broken)} of {found.shards} files are not what was written"]
    for each in found.broken:
        captures = (found.captures or {})[each.name]
        which = f"features of {len(each.keys)} images" if each.keys else "features of nobody knows which images"
        more = f" and {len(captures) - _SHOWN} more (--json has all)" if len(captures) > _SHOWN else ""
        lines.append(f"  {each.name}: {which}; put aside as {each.aside}")
        lines.append(f"    {each.reason}")
        if captures:
            lines.append(f"    labelled captures: {', '.join(captures[:_SHOWN])}{more}")
    lines.append(
        f"  insert-worker extract --backbone {found.backbone} makes them anew from the photographs (with the weights "
        "of this fingerprint); what was put aside may then be deleted"
    )
    return lines


def _verified(root: Path, fingerprint: str, database_url: str, progress: Progress) -> Verified:
    try:
        store = catalogue.find(root, fingerprint)
    except FeatureStoreError as error:
        return Verified(fingerprint, None, 0, problem=str(error))
    if store is None:
        missing = f"{root / fingerprint / catalogue.MANIFEST} is missing; insert-worker extract writes it anew"
        return Verified(fingerprint, None, 0, problem=missing)
    read = [0]

    def seen(done: int, total: int) -> None:
        read[0] = total
        progress(f"{store.backbone} {fingerprint[:12]}", done, total)

    broken = tuple(store.verify(seen))
    keys = {name for each in broken for name in each.keys}
    named = _captures(database_url, keys) if keys else {}
    captures = {each.name: [capture for name in each.keys for capture in named.get(name, ())] for each in broken}
    return Verified(fingerprint, store.backbone, read[0], broken, captures)


def _captures(database_url: str, keys: Collection[str]) -> dict[str, list[str]]:
    """Return the labelled captures by their feature keys."""
    database = Database(database_url)
    try:
        database.check_schema()
        with database.reading() as session:
            items = [item for item in reviews.labelled(session) if key_of(item) in keys]
    finally:
        database.close()
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(key_of(item), []).append(str(item.capture_id))
    return found
