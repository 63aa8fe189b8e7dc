"""Which photographs show the same insert: the life of an insert in its pocket, between two replacements.

Two photographs of one insert are all but the same picture. A test that learns from one and is asked about the other
flatters, so evaluation keeps a life together, on one side of a split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from uuid import UUID

IMPORTED: Final = "imported"
"""The machine of captures that came from a folder: each pocket there is one insert (or group) by definition."""


@dataclass(frozen=True)
class Sighting:
    """One photograph of a pocket.

    The fields after `pocket` are those of `db.line.captures.Capture`, each None where the line does not tell
    it; `outcome` is what stands about it: that of the newest review, else of the verdict, else None.
    """

    capture_id: UUID
    machine: str
    head: str
    pocket: int
    insert_designation: str | None
    edge: int | None
    operations_on_edge: int | None
    outcome: str | None


@dataclass
class _Known:
    """What was last told about the insert that is in a pocket."""

    insert_designation: str | None = None
    edge: int | None = None
    operations_on_edge: int | None = None
    outcome: str | None = None

    def learn(self, sighting: Sighting) -> None:
        if sighting.insert_designation is not None:
            self.insert_designation = sighting.insert_designation
        if sighting.edge is not None:
            self.edge = sighting.edge
        if sighting.operations_on_edge is not None:
            self.operations_on_edge = sighting.operations_on_edge
        if sighting.outcome in ("intact", "damaged"):
            self.outcome = sighting.outcome


def lives(sightings: Iterable[Sighting]) -> Iterator[tuple[UUID, str]]:
    """The life that each sighting belongs to, as `machine/head/pocket/capture_id of its first sighting`.

    A new life begins when another insert or another edge of it is named, or when the operations on the edge have
    become fewer. Where the line does not count operations, it begins with an intact insert after a damaged one; where
    it counts them and they went on, that is a model's mistake rather than a new insert, and taking one insert for two
    is what flatters.

    Args:
        sightings: by machine, head, pocket, in their order (`db.line.capture_order`); read as they are asked for.
    """
    for (machine, head, pocket), of_pocket in groupby(sightings, lambda each: (each.machine, each.head, each.pocket)):
        life = ""
        known = _Known()
        for sighting in of_pocket:
            if not life or _is_new(known, sighting):
                life = f"{machine}/{head}/{pocket}/{sighting.capture_id}"
                known = _Known()
            known.learn(sighting)
            yield sighting.capture_id, life


def _is_new(known: _Known, sighting: Sighting) -> bool:
    if sighting.machine == IMPORTED:
        return False
    if None not in (known.insert_designation, sighting.insert_designation) and (
        known.insert_designation != sighting.insert_designation
    ):
        return True
    if None not in (known.edge, sighting.edge) and known.edge != sighting.edge:
        return True
    if known.operations_on_edge is not None and sighting.operations_on_edge is not None:
        return sighting.operations_on_edge < known.operations_on_edge
    return known.outcome == "damaged" and sighting.outcome == "intact"
