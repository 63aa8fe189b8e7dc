"""``insert-worker import``: how labelled photographs come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


def import_folder(
    folder: Annotated[Path, typer.Argument(help="Labelled photographs, one sub-folder for each class.")],
    labels: Annotated[
        Path | None, typer.Option(help="CSV file with the columns file and a group; default FOLDER/labels.csv.")
    ] = None,
    group_column: Annotated[
        str | None,
        typer.Option(help="Its column that says which photographs show the same insert or head [group or insert]."),
    ] = None,
    meaning: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME=LABEL", help="What a class means, where its name is no label."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the line's data (INSERTS_DATA).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Take a folder of labelled photographs in, as captures with reviews.

    The labels are intact, worn, broken, damaged and unusable. Importing a folder again adds nothing; a photograph that
    has moved to another class gets a new review. Photographs of one group count as one insert when a model is
    evaluated; without groups each is taken for an insert of its own, and such scores flatter.

    Examples:

    - `insert-worker import photographs`
    - `insert-worker import photographs --class good=intact --class bad=damaged --group-column setup`
    """
    from datetime import UTC, datetime

    from db.session import Database
    from worker.cli import settings_with
    from worker.importing import import_photographs, photographs

    settings = settings_with(data=data)
    found = photographs(folder, meanings=_meanings(meaning or []), table=labels, group_column=group_column)
    database = Database(settings.url)
    database.check_schema()
    console = Console(stderr=True)
    with Progress(TextColumn("photographs"), BarColumn(), MofNCompleteColumn(), console=console, transient=True) as bar:
        task = bar.add_task("photographs", total=len(found))
        result = import_photographs(
            found,
            name=folder.resolve().name,
            images=settings.image_store(),
            database=database,
            at=datetime.now(UTC),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    database.close()
    for path, reason in result.skipped:
        console.print(f"[yellow]skipped[/yellow] {path}: {reason}", highlight=False, soft_wrap=True)
    if as_json:
        skipped = [{"file": str(path), "reason": reason} for path, reason in result.skipped]
        told = {"new": result.new, "changed": result.changed, "known": result.known, "skipped": skipped}
        typer.echo(json.dumps(told))
    else:
        typer.echo(
            f"{result.new} new, {result.changed} with another label than before, {result.known} known as they are, "
            f"{len(result.skipped)} skipped"
        )


def _meanings(given: list[str]) -> dict[str, str]:
    meanings = {}
    for text in given:
        name, separator, label = text.rpartition("=")
        if not separator or not name or not label:
            raise typer.BadParameter(f"write it like --class good=intact, not {text!r}")
        meanings[name] = label
    return meanings
