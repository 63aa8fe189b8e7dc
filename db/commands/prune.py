"""`insert-db prune`: deletes photographs and rows that are old enough."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from db.commands.options import moment_option
from db.commands.output import opened, settings_of
from producer.contract.vocabulary import OUTCOMES
from producer.terminal.counts import counted
from producer.terminal.exit_codes import NO
from producer.terminal.options import Json
from producer.terminal.output import note, say, say_json

if TYPE_CHECKING:
    from db.retention.image_removal import Images
    from db.retention.policy import Extent, Policy
    from db.retention.pruning import OnDeleted


def _older(name: str, what: str) -> Any:
    return moment_option(name, f"{what} from before this moment")


def _outcomes(values: list[str] | None) -> list[str] | None:
    # Typer has choices for one value, as a Literal, and none for several.
    for value in values or ():
        if value not in OUTCOMES:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(OUTCOMES)}")
    return values


def prune(
    context: typer.Context,
    images: Annotated[datetime | None, _older("--images-older-than", "Photographs")] = None,
    verdicts: Annotated[datetime | None, _older("--verdicts-older-than", "Whole checks, verdicts and all,")] = None,
    shadow: Annotated[datetime | None, _older("--shadow-older-than", "Shadow verdicts")] = None,
    faults: Annotated[datetime | None, _older("--faults-older-than", "Closed and dismissed faults")] = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            metavar=f"[{'|'.join(OUTCOMES)}]",
            callback=_outcomes,
            help="Only photographs and checks with this outcome; may be repeated.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be deleted and how much; delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    although_idle: Annotated[
        bool,
        typer.Option(
            "--although-idle", help="Go on although the line has been idle for more than 30 days: the clock is right."
        ),
    ] = False,
    vacuum: Annotated[
        bool,
        typer.Option("--vacuum", help="Give freed space back to the disk. This locks a SQLite file meanwhile."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete old photographs and then old verdicts, while the line runs.

    Without an `--…-older-than` option, it deletes:

    - photographs: intact and unusable after 90 days, damaged and unsure after 365; their verdicts are kept
    - checks with their captures, verdicts and shadow verdicts: after 3 years
    - shadow verdicts: after 180 days, except those of the model in shadow now
    - faults that are closed or dismissed: after a year

    With one or more of these options, it deletes only what they name. A check is deleted when all of its captures may
    be.

    It always keeps reviewed captures with their photographs (so everything that a model learned from or may learn
    from), the newest capture of each pocket, captures without a verdict, and captures with an open fault.

    You may kill it at any moment; the next run continues. With `--yes` it refuses if the newest photograph is more than
    thirty days old, because a wrong clock would delete what is not old. `--although-idle` says that the clock is right.

    Exit codes: 0: done. 1: you answered no.

    Examples:

    - `insert-db prune --dry-run`
    - `insert-db prune --yes --json` (daily, from cron or a timer)
    - `insert-db prune --images-older-than 30d --outcome intact`
    - `insert-db prune --verdicts-older-than 2024-01-01 --faults-older-than 26w --vacuum`
    """
    if not (yes or dry_run) and (as_json or not sys.stdin.isatty()):
        raise typer.BadParameter("there is no terminal to ask at: give --yes, or --dry-run to see what would go")
    with opened(context, reads_only=dry_run) as database:
        from db.retention import disk_space
        from db.retention import policy as retention
        from db.retention.image_removal import Images
        from db.retention.pruning import Pruning

        policy = _policy(images, verdicts, shadow, faults, outcome or [])
        if not (dry_run or although_idle):
            with database.reading() as session:
                idle = retention.days_idle(session, datetime.now(UTC))
            if idle > retention.LONG_IDLE:
                doubt = f"by this computer's clock the newest photograph is {idle:,} days old: is the clock right?"
                if yes:
                    raise ValueError(f"{doubt} Nothing was deleted; if it is right, say --although-idle")
                note(doubt)
        store = Images(settings_of(context).images_root)
        extent = None
        if dry_run or not as_json:  # nothing is counted before a nightly run, which no person watches
            with database.reading() as session:
                extent = retention.extent(session, policy)
            about = _bytes(store, extent)
            if as_json:
                say_json(_would_go(extent, about))
            else:
                _describe(extent, about)
        if dry_run:
            return
        if not yes and not typer.confirm("Delete it?"):
            raise typer.Exit(NO)
        with _progress(extent) as progress:
            run = Pruning(database, store, policy, progress)
            run.run()
        if vacuum:
            disk_space.vacuum(database.url)
        free = disk_space.free_bytes(database.url)
        if as_json:
            say_json({**_gone(run), "free_bytes": free})
        else:
            _report(run, free)


def _policy(
    images: datetime | None,
    verdicts: datetime | None,
    shadow: datetime | None,
    faults: datetime | None,
    outcomes: list[str],
) -> Policy:
    from db.retention.policy import Policy, default_policy

    now = datetime.now(UTC)
    for moment in (images, verdicts, shadow, faults):
        if moment is not None and moment > now:
            raise ValueError(f"{moment.isoformat()} is still to come; nothing is older than that")
    chosen = outcomes or list(OUTCOMES)
    if images is verdicts is shadow is faults is None:
        usual = default_policy(now)
        return Policy(
            {outcome: usual.images[outcome] for outcome in chosen},
            {outcome: usual.verdicts[outcome] for outcome in chosen},
            usual.shadow,
            usual.faults,
        )
    return Policy(
        {} if images is None else dict.fromkeys(chosen, images),
        {} if verdicts is None else dict.fromkeys(chosen, verdicts),
        shadow,
        faults,
    )


def _bytes(images: Images, extent: Extent) -> int:
    """About how many bytes the photographs have: by the mean of some of them."""
    sizes = [size for size in map(images.size, extent.sample) if size is not None]
    return round(sum(sizes) / len(sizes) * sum(extent.images.values())) if sizes else 0


def _would_go(extent: Extent, about: int) -> dict[str, Any]:
    return {
        "images": dict(extent.images),
        "image_bytes": about,
        "spared_images": extent.spared,
        "checks": extent.checks,
        "captures": extent.captures,
        "verdicts": extent.verdicts,
        "shadow_verdicts": extent.shadow,
        "faults": extent.faults,
    }


def _gone(run: Any) -> dict[str, Any]:
    names = {
        "images": "images",
        "missing_images": "missing",
        "checks": "checks",
        "captures": "captures",
        "shadow_verdicts": "shadow",
        "faults": "faults",
    }
    return {shown: run.gone[name] for shown, name in names.items()} | {"refused_images": run.refused}


def _describe(extent: Extent, about: int) -> None:
    parts = ", ".join(f"{count} {outcome}" for outcome, count in extent.images.items())
    say(f"photographs to go: {sum(extent.images.values())} ({parts or 'none'}), about {_size(about)}")
    say(f"as old, but needed: {counted(extent.spared, 'photograph')} (reviewed, newest of a pocket, an open fault)")
    captures, verdicts = counted(extent.captures, "capture"), counted(extent.verdicts, "verdict")
    say(f"checks to go: {extent.checks} with {captures} and {verdicts}")
    say(f"shadow verdicts to go: {extent.shadow}; settled faults to go: {extent.faults}")


def _report(run: Any, free: int | None) -> None:
    gone = run.gone
    missing = f" ({gone['missing']} missing before)" if gone["missing"] else ""
    photographs, checks, captures = (
        counted(gone[what], one)
        for what, one in (("images", "photograph"), ("checks", "check"), ("captures", "capture"))
    )
    others = f"{counted(gone['shadow'], 'shadow verdict')}, {counted(gone['faults'], 'fault')}"
    say(f"gone: {photographs}{missing}, {checks} with {captures}, {others}")
    if run.refused:
        left = counted(len(run.refused), "photograph")
        note(f"{left} left, with keys that are no safe paths: {', '.join(run.refused[:3])}")
    if free is not None and free > 0:
        say(f"{_size(free)} in the database's file are free: new rows use them first, --vacuum gives them back")


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


@contextmanager
def _progress(extent: Extent | None) -> Iterator[OnDeleted]:
    """Bars on a terminal's stderr, where it is known how much there is; silence elsewhere."""
    from producer.terminal.console import messages
    from producer.terminal.console import progress as progress_bars

    console = messages()
    if extent is None or not console.is_terminal:
        yield lambda *_: None
        return
    totals = {
        "images": sum(extent.images.values()),
        "checks": extent.checks,
        "shadow": extent.shadow,
        "faults": extent.faults,
    }
    with progress_bars(console) as bars:
        tasks = {name: bars.add_task(name, total=total) for name, total in totals.items() if total}

        def progress(what: str, count: int) -> None:
            name = "images" if what == "missing" else what
            if name in tasks:
                bars.advance(tasks[name], count)

        yield progress
