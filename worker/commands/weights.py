"""The commands `insert-worker weights import|list|verify|fetch`: which weight files this machine has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from producer.terminal.console import answers
from producer.terminal.error_text import in_words
from producer.terminal.output import note, say, say_json, say_model
from worker.backbones.names import BackboneError
from worker.backbones.weight_store import Entry, WeightsStore

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""The weight files of pretrained backbones on this machine, each kept under its digest.

On a machine with a connection: `insert-worker weights fetch vgg16`. On one without: take the file with you and
`insert-worker weights import vgg16_weights.h5 --family vgg16`. insertnet needs no file.
""",
)

Data = Annotated[Path, typer.Option(envvar="INSERTS_DATA", help="The folder of the line's data.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        envvar="INSERTS_WEIGHTS_FOLDER", help="The folder of the weight files.", show_default="weights in --data"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")]

_DEFAULT_DATA = Path("var/line")


@app.command("import")
def import_file(
    file: Annotated[str, typer.Argument(help="A weight file in Keras's .h5 layout: a path, or s3://BUCKET/FILE.")],
    family: Annotated[str, typer.Option(help="The network it is for, such as vgg16 or mobilenet-0.25.")],
    data: Data = _DEFAULT_DATA,
    weights_folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check that a weight file fits its network, layer by layer, and keep a copy.

    One in an object store is copied first: `insert-worker weights import s3://plant/vgg16.h5 --family vgg16`.
    """
    with _clear_errors():
        from worker.backbones.weight_import import import_from_url, import_weights  # brings TensorFlow with it

        folder = _folder(data, weights_folder)
        entry = import_from_url(folder, file, family) if "://" in file else import_weights(folder, Path(file), family)
        _print_kept(entry, folder, as_json)


@app.command()
def fetch(
    family: Annotated[str, typer.Argument(help="The network, such as vgg16 or mobilenet-0.25.")],
    no_top: Annotated[
        bool, typer.Option("--no-top", help="Without the classification layers (vgg16:fc1 needs them).")
    ] = False,
    data: Data = _DEFAULT_DATA,
    weights_folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Download a network's ImageNet weights, as Keras publishes them, and keep them. Needs a connection."""
    with _clear_errors():
        from worker.backbones.weight_import import fetch_weights  # brings TensorFlow with it

        folder = _folder(data, weights_folder)
        _print_kept(fetch_weights(folder, family, top=not no_top), folder, as_json)


@app.command("list")
def list_files(data: Data = _DEFAULT_DATA, weights_folder: Folder = None, as_json: AsJson = False) -> None:
    """Show the weight files that are here, those imported first first."""
    with _clear_errors():
        folder = _folder(data, weights_folder)
        entries = WeightsStore(folder).entries()
    if as_json:
        say_json([entry.model_dump(mode="json") for entry in entries])
    elif not entries:
        say(f"no weight files in {folder}")
    else:
        answers().print(_table(entries))


@app.command()
def verify(data: Data = _DEFAULT_DATA, weights_folder: Folder = None, as_json: AsJson = False) -> None:
    """Hold every weight file against its digest; exit code 1 if one is damaged or gone."""
    with _clear_errors():
        store = WeightsStore(_folder(data, weights_folder))
        results = [(entry, _problem(store, entry)) for entry in store.entries()]
    if as_json:
        say(
            json.dumps([{"digest": entry.digest, "family": entry.family, "problem": fault} for entry, fault in results])
        )
    else:
        for entry, fault in results:
            say(f"{entry.digest[:12]}  {entry.family}  {fault or 'ok'}")
    if any(fault for _, fault in results):
        raise typer.Exit(1)


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        note(f"error {in_words(error)}")
        raise typer.Exit(2) from None


def _folder(data: Path, weights_folder: Path | None) -> Path:
    return weights_folder or data / "weights"


def _problem(store: WeightsStore, entry: Entry) -> str | None:
    try:
        store.checked_path(entry)
    except BackboneError as error:
        return str(error)
    return None


def _print_kept(entry: Entry, folder: Path, as_json: bool) -> None:
    if as_json:
        say_model(entry)
        return
    say(f"{entry.family}: kept as {WeightsStore(folder).path(entry)}")
    if entry.missing:
        names = ", ".join(entry.missing[:5]) + (", …" if len(entry.missing) > 5 else "")
        say(f"it has no weights for {names}; backbones up to {entry.family}:{entry.usable_to} can be had with it")


def _table(entries: list[Entry]) -> Table:
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
