"""The commands `insert-worker weights import|list|verify|fetch`: which weight files this machine has."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json, say_model
from worker.commands.options import settings_with
from worker.commands.verify_report import problem_of, report

if TYPE_CHECKING:
    from rich.table import Table

    from worker.backbones.weight_store import WeightFileEntry, WeightsStore

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""The weight files of pretrained backbones on this machine, each kept under its digest.

On a machine with a connection: `insert-worker weights fetch vgg16`. On one without: take the file with you and
`insert-worker weights import vgg16_weights.h5 --family vgg16`. EfficientNet-Lite needs no file.
""",
)

Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="The folder of the weight files. [INSERTS_WEIGHTS_FOLDER, else weights in --data]",
        show_default=False,
    ),
]


@app.command("import")
def import_file(
    file: Annotated[str, typer.Argument(help="A weight file in Keras's .h5 layout: a path, or s3://BUCKET/FILE.")],
    family: Annotated[str, typer.Option(help="The network it is for, such as vgg16 or mobilenet-0.25.")],
    data: Data = None,
    weights_folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Check that a weight file fits its network, layer by layer, and keep a copy.

    One in an object store is copied first: `insert-worker weights import s3://plant/vgg16.h5 --family vgg16`.

    Example: `insert-worker weights import vgg16_weights.h5 --family vgg16`
    """
    from producer.terminal.console import messages, waiting

    store = _store(data, weights_folder)
    with waiting(messages(), f"holding {file} against the layers of {family}"):
        from worker.backbones.weight_import import import_from_url, import_weights  # brings TensorFlow with it

        if "://" in file:
            entry = import_from_url(store.folder, file, family)
        else:
            entry = import_weights(store.folder, Path(file), family)
    _print_kept(entry, store, as_json)


@app.command()
def fetch(
    family: Annotated[str, typer.Argument(help="The network, such as vgg16 or mobilenet-0.25.")],
    no_top: Annotated[
        bool, typer.Option("--no-top", help="Without the classification layers (vgg16:fc1 needs them).")
    ] = False,
    data: Data = None,
    weights_folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Download a network's ImageNet weights, as Keras publishes them, and keep them. Needs a connection.

    Example: `insert-worker weights fetch vgg16`
    """
    from producer.terminal.console import messages, waiting

    store = _store(data, weights_folder)
    with waiting(messages(), f"downloading the weights of {family}: tens of megabytes, of VGG16 half a gigabyte"):
        from worker.backbones.weight_import import fetch_weights  # brings TensorFlow with it

        entry = fetch_weights(store.folder, family, top=not no_top)
    _print_kept(entry, store, as_json)


@app.command("list")
def list_files(data: Data = None, weights_folder: Folder = None, as_json: Json = False) -> None:
    """Show the weight files that are here, in the order in which they were imported.

    Example: `insert-worker weights list`
    """
    from producer.terminal.console import answers

    store = _store(data, weights_folder)
    entries = store.entries()
    if as_json:
        say_json([entry.model_dump(mode="json") for entry in entries])
    elif not entries:
        say(f"no weight files in {store.folder}")
    else:
        answers().print(_table(entries))


@app.command()
def verify(data: Data = None, weights_folder: Folder = None, as_json: Json = False) -> None:
    """Compare every weight file with its digest; exit code 1 if one is damaged or gone.

    Example: `insert-worker weights verify`
    """
    store = _store(data, weights_folder)
    results = [
        (entry.digest, entry.family, problem_of(partial(store.checked_path, entry))) for entry in store.entries()
    ]
    report(results, named="family", as_json=as_json)


def _store(data: Path | None, weights_folder: Path | None) -> WeightsStore:
    from worker.backbones.weight_store import WeightsStore

    return WeightsStore(settings_with(data=data, weights_folder=weights_folder).weights_path())


def _print_kept(entry: WeightFileEntry, store: WeightsStore, as_json: bool) -> None:
    if as_json:
        say_model(entry)
        return
    say(f"{entry.family}: kept as {store.path(entry)}")
    if entry.missing:
        names = ", ".join(entry.missing[:5]) + (", …" if len(entry.missing) > 5 else "")
        say(f"it has no weights for {names}; backbones up to {entry.family}:{entry.usable_to} can be had with it")


def _table(entries: list[WeightFileEntry]) -> Table:
    from rich.table import Table

    table = Table("family", "digest", "MB", "top", "usable to", "source", "imported", box=None)
    for column in table.columns:
        column.no_wrap = column.header != "source"
        column.overflow = "fold"
    for entry in entries:
        table.add_row(
            entry.family,
            entry.digest[:12],
            f"{entry.size / 1e6:,.1f}",
            "yes" if entry.top else "no",
            entry.usable_to,
            entry.source,
            f"{entry.imported_at:%Y-%m-%d}",
        )
    return table
