"""The commands `insert-worker weights import|list|verify|fetch`: which weight files this machine has."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.terminal.options import Data, Json
from producer.terminal.output import say, say_json, say_model
from worker.commands.options import settings_with
from worker.commands.verify_report import Verified, problem_of, refuse_missing, report

if TYPE_CHECKING:
    from rich.table import Table

    from worker.backbones.weight_store import WeightFileEntry, WeightsStore

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""The weight files of pretrained backbones on this machine, each kept under its digest.

With an internet connection, run `insert-worker weights fetch vgg16`. Without one, bring the file and run
`insert-worker weights import vgg16_weights.h5 --family vgg16`. EfficientNet-Lite needs no file.
""",
)

Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="The folder of the weight files. [env: INSERTS_WEIGHTS_FOLDER] [default: DATA/weights]",
        show_default=False,
    ),
]


@app.command("import")
def import_file(
    file: Annotated[str, typer.Argument(help="A weight file in Keras's .h5 layout: a path, or s3://BUCKET/FILE.")],
    family: Annotated[
        str, typer.Option(help="The network family that it belongs to, such as vgg16 or mobilenet-0.25.")
    ],
    data: Data = None,
    weights_folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Check that a weight file fits its network, layer by layer, and keep a copy.

    A file in an object store is downloaded first.

    Examples:

    - `insert-worker weights import vgg16_weights.h5 --family vgg16`
    - `insert-worker weights import s3://plant/vgg16.h5 --family vgg16`
    """
    from producer.terminal.console import messages, waiting

    store = _store(data, weights_folder)
    with waiting(messages(), f"comparing {file} with the layers of {family}"):
        from worker.backbones.weight_import import import_from_url, import_weights  # brings TensorFlow with it

        if "://" in file:
            entry = import_from_url(store.folder, file, family)
        else:
            entry = import_weights(store.folder, Path(file), family)
    _print_kept(entry, store, as_json)


@app.command()
def fetch(
    family: Annotated[str, typer.Argument(help="The network family, such as vgg16 or mobilenet-0.25.")],
    no_top: Annotated[
        bool, typer.Option("--no-top", help="Leave out the classification layers (vgg16:fc1 needs them).")
    ] = False,
    data: Data = None,
    weights_folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Download a network's ImageNet weights, as Keras publishes them, and keep them. Needs an internet connection.

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
    """List the weight files on this machine, in the order of their import.

    Example: `insert-worker weights list`
    """
    from producer.terminal.console import answers

    store = _existing_store(data, weights_folder)
    entries = store.entries()
    if as_json:
        say_json([entry.model_dump(mode="json") for entry in entries])
    elif not entries:
        say(f"no weight files in {store.folder}")
    else:
        answers().print(_table(entries))


@app.command()
def verify(data: Data = None, weights_folder: Folder = None, as_json: Json = False) -> None:
    """Compare every weight file with its digest.

    Exit codes: 0: all files are whole. 1: a file is damaged or missing. 2: there is no such folder.

    Example: `insert-worker weights verify`
    """
    store = _existing_store(data, weights_folder)
    verified = [
        Verified(entry.digest, entry.family, problem_of(partial(store.checked_path, entry)))
        for entry in store.entries()
    ]
    report(verified, nothing=f"no weight files in {store.folder}, so there is nothing to verify", as_json=as_json)


def _store(data: Path | None, weights_folder: Path | None) -> WeightsStore:
    from worker.backbones.weight_store import WeightsStore

    return WeightsStore(settings_with(data=data, weights_folder=weights_folder).weights_path())


def _existing_store(data: Path | None, weights_folder: Path | None) -> WeightsStore:
    settings = settings_with(data=data, weights_folder=weights_folder)
    refuse_missing(settings.weights_folder or settings.data)
    return _store(data, weights_folder)


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
