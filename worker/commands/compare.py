"""`insert-worker compare`: backbones side by side on the user's own photographs."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from producer.terminal.console import TerminalConsole, line, messages, print_table
from producer.terminal.counts import counted
from producer.terminal.options import LARGEST, Data, Json
from producer.terminal.output import say, say_json
from worker.commands.learning import GroupColumn, Meaning, stated_meanings
from worker.commands.options import WeightsOfEach, settings_with, weights_for
from worker.runtime.notices import shown, tell_notes, tell_skipped

if TYPE_CHECKING:
    from worker.learning.backbone_comparison import ComparedBackbone, ComparedSet

CUT_OUT: Final = (
    "most of these inserts were cut out on black: each backbone is also compared along their lower contour, the edge "
    "that is found by itself (+edge)"
)

_SPLITS: Final = {"plain": "by plain splits", "grouped": "by insert"}


def compare(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of labelled photographs, each with a sub-folder for each class.")
    ],
    backbone: Annotated[
        list[str] | None, typer.Option(help="The network to learn on; may be repeated. [env: INSERTS_BACKBONE]")
    ] = None,
    weights: WeightsOfEach = None,
    intact_class: Annotated[
        str | None, typer.Option(help="The class of intact inserts. [default: one that is called intact, good, ok, …]")
    ] = None,
    meaning: Meaning = None,
    group_column: GroupColumn = None,
    repeats: Annotated[
        int, typer.Option(min=2, max=LARGEST, help="Independent splits of each kind, with seeds 1, 2, …")
    ] = 10,
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder for the charts, with a sub-folder for each dataset.")
    ] = Path("comparison"),
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compare backbones on labelled photographs: how well each would learn, and what it would cost.

    Each backbone goes through the whole training procedure on plain splits; every choice is made inside the training
    part of a split. If `labels.csv` says which photographs show the same insert, splits that keep an insert together
    are used too. All classes but the intact one count as damaged. A missing network is built and kept, as by
    `insert-worker networks build`. Nothing is imported, and no model changes.

    If most inserts were cut out on black, each backbone is also compared along the lower contour, the edge, which is
    found in each photograph (`+edge`).

    Examples:

    - `insert-worker compare photographs`
    - `insert-worker compare lathe mill --backbone mobilenet:conv_pw_12_relu+gap --backbone vgg16:fc1+int8 --weights
      imagenet --group-column setup`
    """
    from worker.dataset.class_names import meanings_to_train
    from worker.learning.backbone_comparison import compare_on, compared_set, mostly_cut_out
    from worker.learning.folder_import import photographs

    if len({folder.resolve().name for folder in folders}) < len(folders):
        raise typer.BadParameter("two folders have the same name; the figures of each need a name of their own")
    stated = stated_meanings(meaning or [])
    names = backbone or [settings_with(data=data).backbone]
    sources = weights_for(names, weights or [])
    console = messages()
    compared: list[ComparedSet] = []
    results: list[list[ComparedBackbone]] = []
    with shown(console) as progress:
        for folder in folders:
            folder_photographs = photographs(
                folder,
                meaning=lambda classes: meanings_to_train(classes, stated, intact_class),
                group_column=group_column,
                groups_required=False,
                progress=partial(progress, f"{folder.resolve().name} · looking at the photographs"),
            )
            compared.append(compared_set(folder.resolve().name, folder_photographs))
        cut_out = mostly_cut_out([photo for one in compared for photo in one.photos])
        pairs = list(zip(names, sources, strict=True))
        along = _along_edge(pairs) if cut_out else []
        for name, source in [*pairs, *along]:
            settings = settings_with(data=data, backbone=name, weights=source)
            results.append(compare_on(compared, settings, repeats=repeats, progress=progress))
    if along:
        tell_notes([CUT_OUT], console)
    for one in compared:
        tell_skipped(one.skipped, console)
        tell_notes([*one.notes, *_without_groups(one)], console)
    _draw(compared, results, output, console)
    if as_json:
        say_json(_json(compared, results))
    else:
        _tell(compared, results)


def _along_edge(pairs: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """The ways of looking along the edge of a cut-out that these backbones with their weights have, each once."""
    from worker.networks.names import parse_network_name

    ways = {way: source for name, source in pairs if (way := parse_network_name(name).along_edge) is not None}
    compared = {parse_network_name(name) for name, _ in pairs}
    return [(str(way), source) for way, source in ways.items() if way not in compared]


def _without_groups(one: ComparedSet) -> list[str]:
    if one.groups is not None:
        return []
    sentence = (
        f"{one.name}: nothing says which photographs show the same insert, so there are plain splits alone; if some "
        "do, these scores flatter (a labels.csv with the columns file and insert says which)"
    )
    return [sentence]


def _draw(
    compared: list[ComparedSet], results: list[list[ComparedBackbone]], output: Path, console: TerminalConsole
) -> None:
    from producer.files.durable_files import make_folder, write_file
    from worker.evaluation.comparison_report import comparison_figures

    for number, one in enumerate(compared):
        if not results[0][number].measured:
            continue
        folder = output / one.name
        make_folder(folder)
        for name, png in comparison_figures({row[number].backbone: row[number].measured for row in results}).items():
            write_file(folder / name, png)
    line(console, f"charts are in {output}")


def _tell(compared: list[ComparedSet], results: list[list[ComparedBackbone]]) -> None:
    from worker.evaluation.comparison_report import score_table

    for number, one in enumerate(compared):
        inserts = "" if one.groups is None else f" of {counted(len(set(one.groups.tolist())), 'insert')}"
        table = score_table(
            f"{one.name}: {counted(len(one.photos), 'photograph')}{inserts}",
            {row[number].backbone: row[number].measured for row in results},
        )
        table.add_section()
        table.add_row("a photograph, on one core", *(f"{row[number].seconds * 1000:.1f} ms" for row in results))
        table.add_row("memory of a process", *(f"{row[number].megabytes:.0f} MB" for row in results))
        table.add_row("features", *(f"{row[number].feature_size:,}" for row in results))
        print_table(table)
        for row in results:
            for kind, problem in row[number].problems.items():
                say(f"{one.name}, {row[number].backbone} {_SPLITS[kind]}: no scores, {problem}")
        for row in results:
            if (error_bound := row[number].error_bound) is not None:
                say(f"{row[number].backbone}: {error_bound.sentence()}")
    say(_advice(results))


def _json(compared: list[ComparedSet], results: list[list[ComparedBackbone]]) -> dict[str, Any]:
    from worker.evaluation.comparison_report import measured_json

    return {
        "datasets": [
            {
                "name": one.name,
                "images": len(one.photos),
                "groups": None if one.groups is None else len(set(one.groups.tolist())),
                "skipped": [{"file": str(path), "reason": reason} for path, reason in one.skipped],
                "notes": [*one.notes, *_without_groups(one)],
                "backbones": [
                    {
                        "backbone": row[number].backbone,
                        "fingerprint": row[number].fingerprint,
                        "feature_size": row[number].feature_size,
                        **measured_json(row[number].measured, row[number].problems),
                        "promise": None if (error_bound := row[number].error_bound) is None else asdict(error_bound),
                        "seconds_per_image": row[number].seconds,
                        "megabytes": row[number].megabytes,
                    }
                    for row in results
                ],
            }
            for number, one in enumerate(compared)
        ],
        "advice": _advice(results),
    }


def _advice(results: list[list[ComparedBackbone]]) -> str:
    from worker.evaluation.comparison_report import advice

    seconds = {row[0].backbone: max(one.seconds for one in row) for row in results}
    return advice({row[0].backbone: [one.measured for one in row] for row in results}, seconds)
