"""`insert-worker features`: list the feature stores, verify them, and remove one that is no longer needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from producer.terminal.console import messages, print_table
from producer.terminal.counts import counted
from producer.terminal.exit_codes import NO
from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable
from worker.runtime.notices import shown

if TYPE_CHECKING:
    from worker.settings import WorkerSettings

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="The features that learning has extracted, by backbone."
)


@app.command("list")
def list_features(
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Each feature store: its backbone, how many images, how large, and which model needs it.

    A backbone with other weights, or another layer, has a feature store of its own; the one before stays until it is
    removed, so that a rollback to a model of it can still be learned from and measured.

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
    fingerprint: Annotated[str, typer.Argument(help="As in the list; its beginning is enough.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also where the model in charge, or in shadow, needs it.")
    ] = False,
    data: Data = None,
) -> None:
    """Remove a feature store with all its features. They can be extracted again, which takes a while.

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
    fingerprint: Annotated[str, typer.Argument(help="As in the list; its beginning is enough. Default: all.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Read all features and compare them with the digests that they were written with.

    A file that is not what was written is named with the captures whose features it had, and put aside, so that
    `insert-worker extract` makes them anew. Exit code 1 when anything was wrong, 0 when all is as it was written.

    Example: `insert-worker features verify`
    """
    from worker.commands.options import settings_with
    from worker.features.verification import verify_stores

    settings = settings_with(data=data)
    with shown(messages()) as progress:
        results = verify_stores(settings.features_path(), settings.url, fingerprint, progress)
    whole = all(store.whole for store in results)
    if as_json:
        say_json({"whole": whole, "generations": [store.as_json() for store in results]})
    elif not results:
        say("no features yet, so there is nothing to verify")
    else:
        for store in results:
            say(copyable("\n".join(store.lines())))
    if not whole:
        raise typer.Exit(NO)


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
