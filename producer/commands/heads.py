"""`insert-station heads`: the head register, shown and checked, and where the camera sees its inserts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from producer.commands import head_pictures
from producer.commands.options import RegisterFile, settings_of
from producer.terminal.options import Json
from producer.terminal.output import note, say, say_json

if TYPE_CHECKING:
    from producer.station.head_register import Head, HeadRegister


class _ShowsByDefault(TyperGroup):
    """Takes `heads FILE` as `heads show FILE`, as it was before there were other sub-commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ShowsByDefault,
    rich_markup_mode="markdown",
    help="""The head register: how many pockets each milling head has, and where the camera sees them.

Without a sub-command it does the same as `show`.
""",
)
app.command("draw")(head_pictures.draw)
app.command("suggest")(head_pictures.suggest)


@app.command()
def show(
    context: typer.Context,
    file: RegisterFile = None,
    example: Annotated[bool, typer.Option("--example", help="Only print a register to start from.")] = False,
    as_json: Json = False,
) -> None:
    """Show the head register and check it: how many pockets each milling head has, and where the camera sees them.

    The register, a TOML file, tells `check` and `watch` when they have seen every pocket of a head.

    Exit codes: 0: it can be used; warnings name probable mistakes. 2: it cannot be used, and the message says why.

    Examples:

    - `insert-station heads show --example > heads.toml`
    - `insert-station heads show heads.toml`
    """
    from producer.station.head_register import HeadRegister
    from producer.station.head_register_file import EXAMPLE

    if example:
        say(EXAMPLE, end="")
        return
    path = file or settings_of(context).heads
    if path is None:
        raise ValueError("which register? Name its file or set INSERTS_HEADS; `heads show --example` prints one")
    register = HeadRegister.load(path)
    if as_json:
        say_json(as_values(register))
        return
    for line in table(list(register.heads.values())):
        say(line)
    for warning in register.warnings():
        note(f"warning: {warning}")


def as_values(register: HeadRegister) -> dict[str, Any]:
    """The register for a program; a pocket without a region of its own has the region of the head."""
    return {
        "file": str(register.path),
        "heads": [
            {
                "name": head.name,
                "pockets": head.pockets,
                "designation": head.designation,
                "regions": {str(pocket): region.model_dump() for pocket, region in sorted(head.regions.items())},
            }
            for head in register.heads.values()
        ],
        "warnings": [*register.warnings()],
    }


def table(heads: Sequence[Head]) -> list[str]:
    """The heads as lines of text, in columns."""
    rows = [("head", "pockets", "designation", "photographs cut to a region")]
    rows += [(head.name, str(head.pockets), head.designation or "–", _regions(head)) for head in heads]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _regions(head: Head) -> str:
    from producer.contract.reasons.template import numbered

    there = sorted(head.regions)
    if not there:
        return "–"
    return "all" if len(there) == head.pockets else numbered(there)
