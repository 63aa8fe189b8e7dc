"""The options that all commands have in common, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="The folder of the line's data. [INSERTS_DATA, else var/line]", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")]
