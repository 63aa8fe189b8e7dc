"""`insert-worker standalone`: the whole line on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from producer.terminal.console import messages
from producer.terminal.options import Data
from worker.commands.options import Backbone, Weights


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
    connect: Annotated[
        Path | None, typer.Option(help="The connector's file: tell the plant's systems that it names.")
    ] = None,
    backbone: Backbone = None,
    weights: Weights = None,
) -> None:
    """Run the whole system of a small shop on this machine, until Ctrl-C or SIGTERM.

    Redis (durable), a SQLite database, a worker, what learns from reviews, and the console for browsers on this
    machine, all below the data folder; with `--connect` also the connector. A part that dies is started again.
    Stations on this machine find it with `insert-station --data FOLDER`; others need INSERTS_REDIS_URL (it is in
    the file redis.url of the data folder) and the same image store.

    Examples:

    - `insert-worker standalone`
    - `insert-worker standalone --data /var/lib/inserts --bind 0.0.0.0`
    - `insert-worker standalone --connect connect.toml`
    """
    from worker.commands.options import settings_with
    from worker.embedded.standalone import run_standalone

    settings = settings_with(data=data, backbone=backbone, weights=weights)
    run_standalone(settings, port, bind, messages(), console_port, connect)
