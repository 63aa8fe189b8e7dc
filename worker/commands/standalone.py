"""`insert-worker standalone`: runs the whole line on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from producer.terminal.console import messages
from producer.terminal.options import Data
from worker.commands.options import Backbone, Weights


def standalone(
    data: Data = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The TCP port of Redis.")] = 6390,
    bind: Annotated[str, typer.Option(help="The addresses of this machine that Redis listens on; 0.0.0.0 is all.")] = (
        "127.0.0.1"
    ),
    console_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="The console's TCP port. [default: 8377, or a free one]", show_default=False
        ),
    ] = None,
    connect: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The connector's file: also run the connector for its systems.")
    ] = None,
    backbone: Backbone = None,
    weights: Weights = None,
) -> None:
    """Run the whole system of a small shop on this machine, until Ctrl-C or SIGTERM.

    It runs a durable Redis, a SQLite database, a worker, the processes that learn from reviews, and the console for
    browsers on this machine; with `--connect` also the connector. All data is below the data folder. A part that dies
    is started again.

    Stations on this machine find the line with `insert-station --data FOLDER`. Other stations need the same image
    store, and INSERTS_REDIS_URL, which is in the file redis.url of the data folder.

    Exit codes: 0: ended on request. 2: a part could not start.

    Examples:

    - `insert-worker standalone`
    - `insert-worker standalone --data /var/lib/inserts --bind 0.0.0.0`
    - `insert-worker standalone --connect connect.toml`
    """
    from worker.commands.options import settings_with
    from worker.embedded.standalone import run_standalone

    settings = settings_with(data=data, backbone=backbone, weights=weights)
    run_standalone(settings, port, bind, messages(), console_port, connect)
