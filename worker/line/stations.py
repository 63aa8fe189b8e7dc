"""The stations as one process knows them: what is usual at each, read again every minute, and its last photograph."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from db.engine.database import Database, is_unavailable
from db.line import station_history
from db.line.station_history import Photographed
from producer.contract.places import HeadPlace, PocketPlace
from producer.contract.reasons.template import Reason
from producer.runtime.arrays import Float64Array
from worker.images.measurements import Measurements
from worker.line.blurred_or_dark import FEWEST, Usual, less_sharp, same_frame, unlike_usual
from worker.line.moved_or_empty import TOGETHER, Scene

FRESH_FOR: Final = 60.0
"""Seconds for which a station's usual values are not read again."""

OF_NEWEST: Final = 500
"""How many of a station's newest good photographs define what is usual."""

EXAMPLES: Final = 20
"""Photographs of a station that people reviewed as unusable, the newest, which an empty pocket may be like."""

SEVERAL: Final = 3
"""Heads from which on what their photographs share is the station's: any further head is compared with it too."""

_SKETCHED: Final = 100
"""How many sketches of good ones define where the insert is: more add nothing, and take longer."""


class Origin(NamedTuple):
    """Where a photograph comes from: the station that took it, and the machine, head and pocket that it shows."""

    station: str
    place: PocketPlace


@dataclass
class _Station:
    usual: Usual | None
    scene: Scene | None
    heads: frozenset[HeadPlace]
    """Those of which the scene has photographs: another one may look otherwise, though the camera is where it was."""
    before: tuple[int, PocketPlace] | None
    read_at: float
    seen: deque[Float64Array] = field(default_factory=lambda: deque(maxlen=TOGETHER))


class Stations:
    """Says what is wrong with a photograph, by others of its station; one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Station] = {}

    def fault(self, origin: Origin, seen: Measurements) -> Reason | None:
        """Why a photograph of that origin cannot be judged, and what to do; None where nothing speaks against it."""
        station = self._station(origin.station)
        if station.usual is None:
            return None
        problem = unlike_usual(seen, station.usual) or self._moved_or_empty(origin, seen, station)
        problem = problem or same_frame(origin.place, seen.frame, station.before, station.usual)
        if problem is None:
            station.before = seen.frame, origin.place
        return problem

    def doubt(self, origin: Origin, seen: Measurements) -> Reason | None:
        """Why a person must look at a photograph of that origin, although it can be judged; or None."""
        usual = self._station(origin.station).usual
        return None if usual is None else less_sharp(seen, usual)

    def _moved_or_empty(self, origin: Origin, seen: Measurements, station: _Station) -> Reason | None:
        scene = station.scene
        if scene is None:
            return None
        alike = scene.seen(seen.sketch)
        if (problem := scene.empty(seen.sketch, alike)) is not None:
            return problem
        if origin.place[:2] not in station.heads and len(station.heads) < SEVERAL:
            return None
        station.seen.append(alike)
        problem = scene.moved(list(station.seen))
        if problem is None and scene.is_shifted(alike):  # other processes have seen more of the station
            problem = scene.moved([*map(scene.seen, self._judged_before(origin.station)), alike])
        return problem

    def _judged_before(self, name: str) -> list[bytes]:
        try:
            with self._database.reading() as session:
                return station_history.newest(session, name, TOGETHER - 1)
        except Exception as error:
            if not is_unavailable(error):
                raise
            return []

    def _station(self, name: str) -> _Station:
        known, now = self._known.get(name), time.monotonic()
        if known is not None and now - known.read_at < FRESH_FOR:
            return known
        try:
            with self._database.reading() as session:
                good = station_history.good(session, name, OF_NEWEST)
                unusable = station_history.unusable(session, name, EXAMPLES)
        except Exception as error:
            if not is_unavailable(error):
                raise
            # The verdict's own transaction waits for the database; this look is made up for a minute later.
            read = _Station(None, None, frozenset(), None, now) if known is None else replace(known, read_at=now)
        else:
            newest = (good[0].frame, good[0].place) if good else None
            read = _Station(Usual.of(good), _scene(good, unusable), _heads(good), newest, now)
            if known is not None and known.scene is not None and read.scene is not None:
                read.seen = known.seen
        self._known[name] = read
        return read


def _scene(good: Sequence[Photographed], unusable: Sequence[bytes]) -> Scene | None:
    sketches = [photograph.sketch for photograph in good if photograph.sketch is not None]
    return Scene.of(sketches[:: -(-len(sketches) // _SKETCHED)], unusable) if len(sketches) >= FEWEST else None


def _heads(good: Sequence[Photographed]) -> frozenset[HeadPlace]:
    """The heads with as many good photographs as it takes to see that a camera has moved."""
    photographs = Counter(photograph.place[:2] for photograph in good if photograph.sketch is not None)
    return frozenset(head for head, number in photographs.items() if number >= TOGETHER)
