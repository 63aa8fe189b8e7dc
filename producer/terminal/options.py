"""The options that all commands have in common, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

LARGEST: Final = 2**31 - 1
"""The largest value of a whole number that has no other limit: it fits every column and type that it is put into."""

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="The folder of the line's data. [env: INSERTS_DATA] [default: var/line]",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs on standard output.")]
Limit = Annotated[int, typer.Option(min=1, max=LARGEST, help="At most this many, the newest.")]
