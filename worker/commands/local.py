"""`insert-worker demo` and `insert-worker standalone`: the whole line on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from producer.terminal.console import answers, messages
from producer.terminal.exit_codes import INTERRUPTED, NO
from producer.terminal.options import Data, Json
from producer.terminal.output import say_json
from worker.commands.options import Backbone, Weights


def demo(
    data: Annotated[Path, typer.Option(help="Where the demo leaves its data; an earlier demo's is replaced.")] = Path(
        "var/demo"
    ),
    dataset: Annotated[
        Path | None, typer.Option(help="Your own labelled photographs, one sub-folder per class: 70 % train, 30 % run.")
    ] = None,
    intact_class: Annotated[
        str | None,
        typer.Option(help="With --dataset: the class that means: go on [one that is called intact, good, ok, …]."),
    ] = None,
    backbone: Backbone = None,
    weights: Weights = None,
    checks: Annotated[int, typer.Option(min=1, help="Post-operation checks of the simulated head.")] = 3,
    pockets: Annotated[int, typer.Option(min=1, max=999, help="Inserts in the head.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed shows the same inserts.")] = 7,
    as_json: Json = False,
) -> None:
    """Bring up a whole line, train a model, and check a milling head after three operations.

    Starts a real Redis, a SQLite database, a worker and a simulated station on this machine, shows each check's
    answer beside the truth, and ends all of them. Exit code 0 if every capture has exactly one verdict, 1 if not,
    130 if it was stopped.

    Examples:

    - `insert-worker demo`
    - `insert-worker demo --dataset photographs --intact-class fine`
    """
    from worker.demo.run import DemoOptions, run_demo

    options = DemoOptions(data, dataset, intact_class, backbone, weights, checks, pockets, seed)
    summary = run_demo(options, messages() if as_json else answers())
    if as_json:
        say_json(summary.as_json())
    raise typer.Exit(INTERRUPTED if summary.stopped else 0 if summary.complete else NO)


def standalone(
    data: Data = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Redis's TCP port.")] = 6390,
    bind: Annotated[str, typer.Option(help="Addresses of this machine that Redis listens on; 0.0.0.0: all.")] = (
        "127.0.0.1"
    ),
    console_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The console's TCP port. [8377, else any]", show_default=False),
    ] = None,
    backbone: Backbone = None,
    weights: Weights = None,
) -> None:
    """Run the whole system of a small shop on this machine, until Ctrl-C or SIGTERM.

    Redis (durable), a SQLite database, a worker, what learns from reviews, and the console for browsers on this
    machine, all below the data folder. A part that dies is started again.
    Stations on this machine find it with `insert-station --data FOLDER`; others need INSERTS_REDIS_URL (it is in
    the file redis.url of the data folder) and the same image store.

    Examples:

    - `insert-worker standalone`
    - `insert-worker standalone --data /var/lib/inserts --bind 0.0.0.0`
    """
    from worker.commands.options import settings_with
    from worker.embedded.standalone import run_standalone

    run_standalone(settings_with(data=data, backbone=backbone, weights=weights), port, bind, messages(), console_port)
