"""`insert-worker plan`: what a plant's load needs, before anything is bought."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from db.retention.days_kept import DAYS_OF_VERDICTS
from producer.terminal.options import LARGEST, Json
from producer.terminal.output import note, say, say_json

if TYPE_CHECKING:
    from worker.planning.plan import Plan


def plan(
    stations: Annotated[
        list[int], typer.Option(min=1, max=LARGEST, help="The number of stations; repeat it for a table.")
    ],
    inserts: Annotated[int, typer.Option(min=1, max=999, help="Inserts in a head; a station hands them in at once.")],
    every: Annotated[float, typer.Option(min=0.001, help="Seconds between two heads of a station, on average.")],
    backbone: Annotated[
        str | None, typer.Option(help="The network that judges, such as vgg16:fc1. [env: INSERTS_BACKBONE]")
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Figures that `make bench` wrote. [default: var/bench.json if it has the backbone's, else those of "
            "the reference machine]",
        ),
    ] = None,
    per_second: Annotated[
        float | None,
        typer.Option(min=0.001, help="Captures a second that a worker judges, instead of the measured figure."),
    ] = None,
    single_seconds: Annotated[
        float | None, typer.Option(min=0.0001, help="Seconds from submit to verdict on an idle line, instead.")
    ] = None,
    cores: Annotated[
        float | None, typer.Option(min=0.1, help="Cores of a worker, with a process each, instead.")
    ] = None,
    image_bytes: Annotated[float | None, typer.Option(min=1, help="Bytes of one photograph, instead.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=LARGEST, help="Plan for this many workers. [default: as many as are needed]"),
    ] = None,
    within: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds within which 95 % of the heads must have an answer.")
    ] = None,
    outage: Annotated[float, typer.Option(min=0, help="Seconds that all workers may be away.")] = 3600.0,
    keep_verdicts: Annotated[
        float, typer.Option(min=0, help="Days for which verdicts are kept; the default is that of `insert-db prune`.")
    ] = DAYS_OF_VERDICTS,
    keep_images: Annotated[
        float | None,
        typer.Option(min=0, help="Days for which images are kept. [default: by outcome, as `insert-db prune`]"),
    ] = None,
    damaged: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of damaged or unsure images, which are kept longer. [default: 0.1]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute what a plant's load needs: workers, waiting times, Redis, database, images, network, and the first limit.

    The plan assumes that each station hands in a whole head at once, day and night, at random moments. It uses the
    figures that `make bench NAMES=plan_*` measured on this machine (some minutes), or else those of the reference
    machine in docs/scaling.md. A planned worker is like the measured one: it has as many cores, and a process for each.
    docs/scaling.md has the computation and its assumptions.

    Examples:

    - `insert-worker plan --stations 40 --inserts 30 --every 120`
    - `insert-worker plan --stations 40 --inserts 30 --every 120 --backbone vgg16:fc1 --within 10`
    - `insert-worker plan --stations 40 --inserts 30 --every 120 --workers 3 --outage 28800 --image-bytes 900000`
    - `insert-worker plan --stations 1 --stations 10 --stations 100 --inserts 30 --every 60 --json`
    """
    from worker.commands.options import settings_with
    from worker.planning.limits import ends_first, warnings
    from worker.planning.measurements import REFERENCE, nearest, read
    from worker.planning.plan import SHARE_DAMAGED, Load
    from worker.planning.plan import plan as plan_for

    instead = {
        "per_second": per_second,
        "single_seconds": single_seconds,
        "cores": cores,
        "image_bytes": image_bytes,
    }
    settings = settings_with(backbone=backbone)
    figures = figures or nearest(settings.backbone)
    if figures == REFERENCE:
        note("planned with the reference machine's figures: `make bench NAMES=plan_*` measures this one's")
    known = read(figures, settings.backbone, {name: value for name, value in instead.items() if value is not None})
    plans = [
        plan_for(
            Load(number, inserts, every),
            known,
            workers=workers,
            within=within,
            outage=outage,
            keep_verdicts=keep_verdicts,
            keep_images=keep_images,
            damaged=SHARE_DAMAGED if damaged is None else damaged,
        )
        for number in stations
    ]
    all_warnings = [warnings(one, known, settings.outbox_limit) for one in plans]
    if as_json:
        values = [
            asdict(one)
            | {"ends_first": dict(zip(("part", "stations"), ends_first(one), strict=True)), "warnings": warned}
            for one, warned in zip(plans, all_warnings, strict=True)
        ]
        say_json({"figures": asdict(known), "plans": values})
        return
    say("\n".join(table(plans)))
    for one, warned in zip(plans, all_warnings, strict=True):
        for warning in warned:
            say(f"\nwarning, {one.load.stations:,} stations: {warning}")


def table(plans: Sequence[Plan]) -> list[str]:
    """The plans beside one another, a Markdown table."""
    from worker.planning.limits import ends_first

    def first(plan: Plan) -> str:
        part, at = ends_first(plan)
        return f"{part}, at {at:,} stations"

    rows: list[tuple[str, Callable[[Plan], str]]] = [
        ("captures/s", lambda plan: f"{plan.load.captures_per_second:,.1f}"),
        ("workers", lambda plan: f"{plan.workers:,}"),
        ("their cores, memory", lambda plan: f"{plan.cores:,.0f}, {_bytes(plan.memory)}"),
        ("busy", lambda plan: f"{plan.waits.utilisation:.0%}"),
        ("a head waits for its turn, p95", lambda plan: _seconds(plan.waits.queued)),
        ("a head's last verdict, p95", lambda plan: _seconds(plan.waits.answered)),
        ("an outage is caught up with after", lambda plan: _seconds(plan.outage.caught_up_after)),
        ("Redis memory, disk", lambda plan: f"{_bytes(plan.stores.redis_memory)}, {_bytes(plan.stores.redis_disk)}"),
        ("of what one Redis carries", lambda plan: f"{plan.redis_share:.1%}"),
        ("database", lambda plan: _database(plan)),
        ("it grows by, to", lambda plan: f"{_bytes(plan.stores.database_per_day)}/day, {_bytes(plan.stores.database)}"),
        ("images", lambda plan: f"{_bytes(plan.stores.images_per_day)}/day, {_bytes(plan.stores.images)}"),
        ("network: images in (and out), Redis", lambda plan: _network(plan)),
        ("ends first", first),
    ]
    heads = ["stations", *(f"{plan.load.stations:,}" for plan in plans)]
    lines = [heads, ["---", *("---:" for _ in plans)], *([name, *map(show, plans)] for name, show in rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _database(plan: Plan) -> str:
    if plan.database_cores is None:
        return f"SQLite, {plan.database_share:.1%} full"
    cores = math.ceil(plan.database_cores)
    return f"PostgreSQL, {cores:,} core{'s' if cores > 1 else ''}"


def _network(plan: Plan) -> str:
    return f"{8 * plan.image_network / 1e6:,.1f}, {8 * plan.redis_network / 1e6:,.2f} Mbit/s"


def _seconds(value: float | None) -> str:
    if value is None:
        return "never"
    if value < 120:
        return f"{value:,.2f} s"
    return f"{value / 60:,.0f} min" if value < 7200 else f"{value / 3600:,.1f} h"


def _bytes(value: float) -> str:
    units = ("B", "kB", "MB", "GB", "TB", "PB")
    power = next((power for power in range(len(units)) if value < 1000 ** (power + 1)), len(units) - 1)
    return f"{value / 1000**power:.3g} {units[power]}"
