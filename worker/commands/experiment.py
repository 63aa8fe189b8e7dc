"""`insert-worker experiment`: the lab's recipe on the user's labelled folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.terminal.console import TerminalConsole, answers, line, messages, progress, waiting
from producer.terminal.options import LARGEST, Json
from producer.terminal.output import say_json
from worker.commands.options import WeightsOfEach, weights_for
from worker.runtime.notices import tell_notes, tell_skipped

if TYPE_CHECKING:
    from worker.backbones.backbone import Backbone
    from worker.dataset.labelled_folder import LabelledFolder
    from worker.lab.recipe import BackboneResult, Recipe


def experiment(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of labelled images, each with a sub-folder for each class.")
    ],
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="Network and layer; may be repeated. [default: vgg16:fc1 and mobilenet:conv1_relu]"),
    ] = None,
    weights: WeightsOfEach = None,
    test_size: Annotated[float, typer.Option(help="The share of the images that each split keeps for testing.")] = 0.3,
    repeats: Annotated[int, typer.Option(min=1, max=LARGEST, help="Independent splits, with seeds 1, 2, …")] = 5,
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder for report.md and DATASET/BACKBONE/…")
    ] = Path("output"),
    group_column: Annotated[
        str | None,
        typer.Option(
            help="The column of labels.csv by which images are grouped, for grouped splits beside the plain ones. "
            "[default: group, or insert]"
        ),
    ] = None,
    lab_preprocessing: Annotated[
        bool, typer.Option("--lab-preprocessing", help="Scale inputs to [-1, 1] for every family, as the lab does.")
    ] = False,
    no_stratify: Annotated[
        bool, typer.Option("--no-stratify", help="Do not keep the classes' shares in each split, as the lab does.")
    ] = False,
    keep_duplicates: Annotated[
        bool,
        typer.Option(
            "--keep-duplicates",
            help="Keep photographs that are there twice, as the lab does. Otherwise they are named and left out.",
        ),
    ] = False,
    batch: Annotated[int, typer.Option(min=1, max=1024, help="Images in one forward pass.")] = 32,
    as_json: Json = False,
) -> None:
    """Compare pretrained networks on labelled folders: features, a linear SVM, repeated splits, a report.

    It writes `features.h5`, `labels.h5`, `resultsDATASET.txt` and the folder `model` for each dataset and backbone, and
    `report.md`, which compares the backbones. A photograph that is in two classes is left out of both. One that is
    there twice counts once. Each is named; `--keep-duplicates` keeps them all.

    Networks of Keras need their ImageNet weights, which are downloaded when they are first needed. docs/networks.md
    says how to bring them to a machine without an internet connection. `insert-worker compare` needs no download.

    Examples:

    - `insert-worker experiment photographs`
    - `insert-worker experiment lathe mill --backbone mobilenet:conv1_relu --weights mobilenet.h5 --repeats 10`
    """
    from producer.files.durable_files import write_file
    from worker.lab.experiment import scan_all
    from worker.lab.recipe import Recipe
    from worker.lab.report import UNDECODED, markdown, results_json

    names = backbone or ["vgg16:fc1", "mobilenet:conv1_relu"]
    recipe = Recipe(
        test_size, repeats, not no_stratify, lab_preprocessing, group_column, batch, keep_duplicates=keep_duplicates
    )
    chosen = weights_for(names, weights or [])
    datasets = scan_all(folders, recipe)
    results: list[list[BackboneResult]] = [[] for _ in datasets]
    err = messages()
    for dataset in datasets:
        tell_skipped(dataset.skipped, err)
        tell_notes(dataset.notes, err)
    report = output / "report.md"
    for name, source in zip(names, chosen, strict=True):
        with waiting(err, f"loading {name}; weights that are not here are downloaded"):
            loaded = _load(name, source, recipe)
        for dataset, row in zip(datasets, results, strict=True):
            row.append(_run(dataset, loaded, recipe, output, err))
            # After every result: nothing is in vain when a later backbone's weights are missing.
            table = [(dataset, done) for dataset, done in zip(datasets, results, strict=True) if done]
            write_file(report, markdown(table, recipe).encode("utf-8", UNDECODED))
    if as_json:
        say_json(results_json(table))
    else:
        from rich.markdown import Markdown

        answers().print(Markdown(report.read_text("utf-8")))
        line(err, f"written to {report}")


def _load(name: str, weights: str | None, recipe: Recipe) -> Backbone:
    from worker.backbones.backbone import load_backbone
    from worker.settings import WorkerSettings

    folder = WorkerSettings().weights_path()
    return load_backbone(name, weights, weights_folder=folder, lab_preprocessing=recipe.lab_preprocessing)


def _run(
    dataset: LabelledFolder, backbone: Backbone, recipe: Recipe, output: Path, console: TerminalConsole
) -> BackboneResult:
    """One result with a progress bar of its extraction, and its results file."""
    from worker.backbones.keras_families import published_network
    from worker.lab.experiment import result_folder, run
    from worker.lab.report import write_results

    published = published_network(backbone.family)
    part = replace(published, model=published.cut(backbone.layer)).summary()
    with progress(console, transient=False) as bars:
        task = bars.add_task(f"{dataset.name} · {backbone.name}", total=len(dataset.files))

        def show(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        result = run(dataset, backbone, part.multiply_adds, recipe, output, show)
    tell_skipped(result.dataset.skipped[len(dataset.skipped) :], console)
    write_results(result_folder(output, dataset.name, backbone.name), result, recipe)
    return result
