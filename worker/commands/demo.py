"""`insert-worker demo`: trains and runs a whole line while you watch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from producer.terminal.console import answers, messages
from producer.terminal.exit_codes import INTERRUPTED, NO
from producer.terminal.options import LARGEST, Json
from producer.terminal.output import say_json
from worker.commands.options import Backbone, Weights


def demo(
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder of the demo's data. Data of an earlier demo is replaced.")
    ] = Path("var/demo"),
    dataset: Annotated[
        Path | None,
        typer.Option(help="Labelled photographs, a sub-folder for each class: 70 % train, 30 % are judged."),
    ] = None,
    intact_class: Annotated[
        str | None,
        typer.Option(
            help="With --dataset: the class of intact inserts. [default: one that is called intact, good, ok, …]"
        ),
    ] = None,
    backbone: Backbone = None,
    weights: Weights = None,
    checks: Annotated[int, typer.Option(min=1, max=LARGEST, help="How many operations to check.")] = 3,
    pockets: Annotated[int, typer.Option(min=1, max=999, help="Inserts in the head.")] = 30,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST, help="The same seed gives the same inserts.")] = 7,
    as_json: Json = False,
) -> None:
    """Start a whole line, train a model, and check a milling head after three operations.

    It starts a real Redis, a SQLite database, a worker, a simulated station and the console on this machine, and shows
    each check's answer beside the truth. At a terminal the head stays to be seen in a browser, without an account,
    until Enter. Then it stops them all.

    Exit codes: 0: every capture has exactly one verdict. 1: one has not. 2: the demo could not run. 130: it was
    stopped.

    Examples:

    - `insert-worker demo`
    - `insert-worker demo --dataset photographs --intact-class fine`
    """
    from worker.demo.run import DemoOptions, run_demo

    stays = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    options = DemoOptions(data, dataset, intact_class, backbone, weights, checks, pockets, seed, stays)
    summary = run_demo(options, messages() if as_json else answers())
    if as_json:
        say_json(summary.as_json())
    raise typer.Exit(INTERRUPTED if summary.stopped else 0 if summary.complete else NO)
