"""`insert-db mtconnect`: heads as MTConnect cutting tools."""

from __future__ import annotations

import errno
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from db.commands.options import Head, Machine
from db.commands.output import reading, settings_of
from producer.files.durable_files import write_file
from producer.terminal.counts import counted
from producer.terminal.options import Json
from producer.terminal.output import say, say_json

if TYPE_CHECKING:
    from db.queries.head_inserts import HeadNow


def mtconnect(
    context: typer.Context,
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER|-", help="The folder to write to; - is standard output, for one head.", show_default=False
        ),
    ],
    machine: Machine = None,
    head: Head = None,
    as_json: Json = False,
) -> None:
    """Write each head as an MTConnect cutting tool, FOLDER/MACHINE/HEAD.xml, with its inserts as cutting items.

    A name that has other characters than letters A to Z, digits, `.`, `_` and `-` appears in its safe form
    (`insert-station safe-name`). A file replaces an existing one only when it is complete; other files stay. `--json`
    prints the names of the files.

    Exit code 2: the line has no such machine or head, or there is no such folder.

    Examples:

    - `insert-db mtconnect /srv/tools`
    - `insert-db mtconnect - --machine mill-1 --head head-7`
    """
    if folder == "-":
        if as_json:
            raise typer.BadParameter("with - stdout holds the document, so there is no place for --json")
        if machine is None or head is None:
            raise typer.BadParameter("with - there is one document: name its head with --machine and --head")
    elif not Path(folder).is_dir():  # a mistyped folder does not become one
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", folder)
    with reading(context) as session:
        from db.queries import known_places
        from db.queries.head_inserts import head_now
        from db.queries.head_overview import heads
        from producer.station.head_register import HeadRegister

        file = settings_of(context).heads
        register = None if file is None else HeadRegister.load(file)
        places = [place for place in heads(session) if machine in (None, place[0]) and head in (None, place[1])]
        entries = {head: register.get(head) for _, head in places} if register is not None else {}
        declared = {head: entry.pockets for head, entry in entries.items() if entry is not None}
        known = (head_now(session, *place, declared.get(place[1])) for place in places)
        tools = [tool for tool in known if tool is not None]
        if not tools:
            known_places.refuse_unknown(session, machine, head)
    if folder != "-":
        _write(tools, Path(folder), as_json)
    elif tools:
        say(_document(tools[0]), end="")
    else:
        raise ValueError(f"nothing is known of machine {machine}, head {head}")


def _document(tool: HeadNow) -> str:
    from db.queries.mtconnect_asset import document

    return document(tool, datetime.now(UTC), socket.gethostname())


def _write(tools: list[HeadNow], folder: Path, as_json: bool) -> None:
    from producer.contract.names import safe_name

    files = [folder / safe_name(tool.machine) / f"{safe_name(tool.head)}.xml" for tool in tools]
    for tool, file in zip(tools, files, strict=True):
        write_file(file, _document(tool).encode())
    if as_json:
        rows = zip(tools, files, strict=True)
        say_json([{"machine": tool.machine, "head": tool.head, "file": str(file)} for tool, file in rows])
    elif tools:
        say(f"{counted(len(files), 'head')} in {folder}")
    else:
        say("no head matches")
