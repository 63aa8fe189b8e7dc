"""`insert-station connect opcua`: the certificate, the users and the standard types that OPC UA needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from producer.commands.options import settings_of
from producer.terminal.output import note, say

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Set up OPC UA: make a certificate, add users of our server, and import the standard's types.",
)

CERTIFICATE = "certificate.pem"
"""In a folder: our certificate."""

KEY = "key.pem"
"""Beside it: its private key."""


@app.command()
def certificate(
    folder: Annotated[Path, typer.Argument(help="The folder for the certificate and its key.")],
    host: Annotated[list[str], typer.Option(help="A name or address by which others reach us; may be repeated.")],
    uri: Annotated[
        str | None, typer.Option(help="The application's URI. [default: urn:HOST:insert-inspection]")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=7300, help="Days for which it is valid.")] = 1825,
) -> None:
    """Make a self-signed certificate and its private key: `certificate.pem` and `key.pem` in a folder.

    The other side must trust the certificate, so give it that file. Existing files are not overwritten.

    Example: `insert-station connect opcua certificate opcua --host inspection.plant --host 10.20.0.7`
    """
    try:
        from producer.connect.opcua.certificates import new_certificate
    except ImportError as error:
        raise ValueError(not_installed(error)) from None
    from producer.files.durable_files import write_file, write_private_file

    for name in (CERTIFICATE, KEY):
        if (folder / name).exists():
            raise ValueError(f"{folder / name} exists already: move it away first, others may trust it")
    key, text = new_certificate(uri or f"urn:{host[0]}:insert-inspection", host, days)
    file = folder / KEY
    write_private_file(file, key)
    write_file(folder / CERTIFICATE, text)
    say(f"{folder / CERTIFICATE}: the other side must trust it\n{file}: keep it private")


@app.command()
def user(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    insert_changes: Annotated[
        bool, typer.Option("--insert-changes", help="It may also report that inserts were changed.")
    ] = False,
) -> None:
    """Ask for a user's password and print the line for the users' file. The password itself is not stored.

    Example: `insert-station connect opcua user plc-1 >> opcua/users`
    """
    try:
        from producer.connect.opcua.users import user_line
    except ImportError as error:
        raise ValueError(not_installed(error)) from None
    import getpass
    import sys

    if sys.stdin.isatty():
        password = getpass.getpass("password: ")
        if getpass.getpass("once more: ") != password:
            raise ValueError("the two passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\n")
    say(user_line(name, password, may_change_inserts=insert_changes))
    note("append this line to the users' file; it takes effect at the next sign-in")


@app.command("import")
def import_(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Node sets in XML, as the OPC Foundation publishes them.")
    ],
) -> None:
    """Import the node set of OPC 40100-1, so that our server's types are the standard's own.

    The file is Opc.Ua.MachineVision.NodeSet2.xml from github.com/OPCFoundation/UA-Nodeset. The command checks it, tries
    it out, and keeps it under its digest beside the delivery log. `insert-station connect run` uses it from its next
    start on. Without it, our server has the same names in a namespace of its own.

    Example: `insert-station --data var/line connect opcua import Opc.Ua.MachineVision.NodeSet2.xml`
    """
    import asyncio

    from producer.connect.opcua.node_sets import NODE_SETS, checked_node_set, keep_node_set

    try:
        from producer.connect.opcua.standard_types import try_out
    except ImportError as error:
        raise ValueError(not_installed(error)) from None
    folder = settings_of(context).delivery_log_path().parent / NODE_SETS
    for file in files:
        try:
            node_set = checked_node_set(file.read_bytes())
            asyncio.run(try_out(node_set))
        except (OSError, ValueError) as error:
            raise ValueError(f"{file} was not imported: {error}") from None
        keep_node_set(folder, node_set)
        say(f"{node_set.model} {node_set.version} is kept, sha256 {node_set.digest}")
    note("`insert-station connect run` uses it from its next start on")


def not_installed(error: ImportError) -> str:
    """What to do where a package is missing that connecting needs."""
    return f"connecting is not installed ({error}): pip install 'insert-inspection[connect]'"
