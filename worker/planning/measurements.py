"""The figures that a plan is computed from, as `make bench NAMES=plan_*` measured and kept them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

OWN: Final = Path("var/bench.json")
"""Where `make bench` keeps what it measured on this machine."""

REFERENCE: Final = Path(__file__).with_name("reference_figures.json")
"""What was measured on the machine that docs/scaling.md describes."""


class FiguresMissing(ValueError):
    """There are no figures to plan with; the message says how to get them."""


@dataclass(frozen=True)
class WorkerFigures:
    """One worker with its network: a parent, and a process that judges for each core."""

    cores: float
    """Processor cores that it had, and so many processes."""
    per_second: float
    """Captures a second that it judges from a full queue."""
    single_seconds: float
    """From a station's submit to the verdict at the station, one capture on an idle line."""
    bytes: float
    """Its memory under load, all its processes together."""


@dataclass(frozen=True)
class RedisFigures:
    """One Redis."""

    per_second: float
    """Captures a second that its one thread carries, from push to answer and acknowledgement."""
    network_bytes: float
    """To and from it for each capture."""
    event_bytes: float
    """Memory of one event that waits."""
    answer_bytes: float
    """Memory of one answer in a station's stream."""
    aof_bytes: float
    """What the AOF grows by for each capture."""


@dataclass(frozen=True)
class DatabaseFigures:
    """A database: SQLite as one file, PostgreSQL for each core of its server."""

    per_second: float
    """Captures a second, from arrival to committed verdict."""
    bytes: float
    """What a capture with its verdict takes, indexes included."""


@dataclass(frozen=True)
class Figures:
    """What was measured of each part."""

    worker: WorkerFigures
    redis: RedisFigures
    sqlite: DatabaseFigures
    postgresql: DatabaseFigures
    station_per_second: float
    """Captures a second that one station hands in, synced to its disk."""
    image_bytes: float
    """Bytes of one photograph."""


def name_of(figure: str, backbone: str | None = None) -> str:
    """The benchmark that measures a figure, of a backbone where each has its own: plan_per_second_vgg16_fc1."""
    return "_".join(["plan", figure, *([re.sub(r"\W+", "_", backbone).strip("_")] if backbone else [])])


def nearest(backbone: str) -> Path:
    """The file to plan with where none is named: this machine's where it has been measured with the backbone."""
    try:
        own = _known(OWN)
    except FiguresMissing:
        return REFERENCE
    return OWN if name_of("per_second", backbone) in own else REFERENCE


def read(path: Path, backbone: str, overrides: dict[str, float]) -> Figures:
    """The figures in a file as `make bench` keeps them, with those of `overrides` in their place.

    Raises:
        FiguresMissing: the file or a figure in it is missing, or is no positive number.
    """
    known = _known(path)

    def value(figure: str, of: str | None = None) -> float:
        if figure in overrides:
            return overrides[figure]
        name = name_of(figure, of)
        entry = known.get(name)
        measured = entry.get("value") if isinstance(entry, dict) else None
        if isinstance(measured, bool) or not isinstance(measured, int | float) or not 0 < measured < float("inf"):
            rates = sorted(key for key in known if key.startswith(name_of("per_second_")))
            raise FiguresMissing(
                f"there is no figure {name} in {path}: measure it on this machine (make bench NAMES=plan_*), take "
                f"another file with --figures, or give it as an option (`insert-worker plan --help`). Rates of workers "
                f"that are there: {', '.join(rates) or 'none'}"
            )
        return float(measured)

    return Figures(
        worker=WorkerFigures(
            cores=value("cores"),
            per_second=value("per_second", backbone),
            single_seconds=value("single_seconds", backbone),
            bytes=value("worker_bytes", backbone),
        ),
        redis=RedisFigures(
            per_second=value("redis_per_second"),
            network_bytes=value("redis_network_bytes"),
            event_bytes=value("event_bytes"),
            answer_bytes=value("answer_bytes"),
            aof_bytes=value("aof_bytes"),
        ),
        sqlite=DatabaseFigures(value("database_per_second", "sqlite"), value("database_bytes", "sqlite")),
        postgresql=DatabaseFigures(value("database_per_second", "postgresql"), value("database_bytes", "postgresql")),
        station_per_second=value("station_per_second"),
        image_bytes=value("image_bytes"),
    )


def _known(path: Path) -> dict[str, Any]:
    try:
        figures = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise FiguresMissing(
            f"there are no figures at {path}: measure this machine first (make bench NAMES=plan_*, some minutes, keeps "
            f"them in {OWN}), or leave --figures out"
        ) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise FiguresMissing(f"{path} is no file of figures: {error}") from None
    if not isinstance(figures, dict):
        raise FiguresMissing(f"{path} is no file of figures: it holds no object")
    return figures
