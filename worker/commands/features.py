"""`insert-worker features`: list the feature stores, verify them, and remove one that is no longer needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from producer.terminal.console import messages, print_table
from producer.terminal.counts import counted
from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable
from worker.runtime.notices import shown

if TYPE_CHECKING:
    from worker.settings import WorkerSettings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The features that learning has extracted: one store a backbone.",
)


@app.command("list")
def list_features(
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the feature stores: backbone, number of images, size, and which model needs each.

    A backbone with other weights or another layer has a feature store of its own. The previous store stays until you
    remove it, so that you can roll back to a model of it and still learn and measure with it.

    Example: `insert-worker features list`
    """
    from rich.filesize import decimal
    from rich.table import Table

    from worker.commands.options import settings_with

    rows = _stores(settings_with(data=data))
    if as_json:
        say_json(rows)
        return
    if not rows:
        say(copyable("no features yet: review captures (`insert-db review`), then `insert-worker extract`"))
        return
    table = Table("fingerprint", "backbone", "images", "size", "needed by")
    for row in rows:
        needed = row["needed_by"] or "–"
        table.add_row(row["fingerprint"][:12], row["backbone"], f"{row['images']:,}", decimal(row["bytes"]), needed)
    print_table(table)


@app.command()
def remove(
    fingerprint: Annotated[str, typer.Argument(help="The store's fingerprint, as `list` shows it, or its beginning.")],
    force: Annotated[
        bool, typer.Option("--force", help="Remove it even if the model in charge or in shadow needs it.")
    ] = False,
    data: Data = None,
) -> None:
    """Remove a feature store with all its features. Extracting them again takes a while.

    Example: `insert-worker features remove 7c1d5798`
    """
    from worker.commands.options import settings_with
    from worker.features.catalogue import remove as remove_store

    settings = settings_with(data=data)
    stores = [row for row in _stores(settings) if row["fingerprint"].startswith(fingerprint)]
    if len(stores) != 1:
        raise ValueError(
            f"{len(stores)} feature stores begin with {fingerprint!r}; `insert-worker features list` has them"
        )
    if stores[0]["needed_by"] and not force:
        raise ValueError(
            f"model {stores[0]['needed_by']} was made from these features; --force removes them all the same"
        )
    remove_store(settings.features_path(), stores[0]["fingerprint"])
    say(f"removed the features of {counted(stores[0]['images'], 'image')} by {stores[0]['backbone']}")


@app.command()
def verify(
    fingerprint: Annotated[
        str,
        typer.Argument(
            help="The store's fingerprint, as `list` shows it, or its beginning. [default: all]", show_default=False
        ),
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compare all stored features with the digests that they were written with.

    It names each damaged file and the captures whose features were in it, and puts the file aside, so that
    `insert-worker extract` extracts them again.

    Exit codes: 0: all features are as they were written. 1: a file is damaged. 2: there is no such data folder or
    feature store.

    Example: `insert-worker features verify`
    """
    from worker.commands.options import settings_with
    from worker.commands.verify_report import Verified, refuse_missing, report
    from worker.features.verification import verify_stores

    settings = settings_with(data=data)
    refuse_missing(settings.data)
    with shown(messages()) as progress:
        stores = verify_stores(settings.features_path(), settings.url, fingerprint, progress)
    verified = [
        Verified(store.fingerprint, store.backbone, store.wrong(), store.detail(), "\n".join(store.lines()))
        for store in stores
    ]
    report(verified, nothing="no features yet, so there is nothing to verify", as_json=as_json)


def _stores(settings: WorkerSettings) -> list[dict[str, Any]]:
    from db.engine.database import Database
    from db.learning import model_registry
    from worker.features.catalogue import all_stores

    database = Database(settings.url, reads_only=True)
    try:
        database.check_schema()
        with database.reading() as session:
            roles = [model_registry.champion(session), model_registry.shadow(session)]
    finally:
        database.close()
    needed = {model.fingerprint: model.model_id for model in reversed(roles) if model is not None}
    return [
        {
            "fingerprint": store.fingerprint,
            "backbone": store.backbone,
            "images": len(store.known()),
            "bytes": sum(file.stat().st_size for file in store.folder.rglob("*.h5")),
            "needed_by": needed.get(store.fingerprint),
        }
        for store in all_stores(settings.features_path())
    ]
