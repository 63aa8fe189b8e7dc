"""The options that all commands have in common, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

LARGEST: Final = 2**31 - 1
"""What an option of a whole number may be at most, where nothing else bounds it: all that is made of it can hold it."""

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="The folder of the line's data. [INSERTS_DATA, else var/line]", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")]
