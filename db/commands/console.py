"""`insert-db console`: the pages for browsers."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from db.commands import users
from db.commands.output import reading, writing
from db.commands.users import asked_password
from producer.configuration.ports import CONSOLE_PORT, check_port
from producer.terminal.output import note, say
from producer.terminal.programs import copyable


def console(
    context: typer.Context,
    bind: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address of this machine to listen on; 0.0.0.0 is all.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The TCP port to listen on.")] = CONSOLE_PORT,
) -> None:
    """Serve the console until Ctrl-C or SIGTERM: the line at a glance, reviews and history, as pages for a browser.

    The first start asks for a first account; `insert-db users add` adds others. For browsers on other machines, put a
    proxy with HTTPS in front and set INSERTS_CONSOLE_HTTPS=true (docs/console.md).

    Examples:

    - `insert-db console`
    - `insert-db --data var/demo console --bind 0.0.0.0 --port 8080`
    """
    try:
        from db.console.serving import opened, reachable, serve
    except ImportError as error:
        raise ValueError(f"the console is not installed ({error}): pip install 'insert-inspection[console]'") from None
    from db.console.doubtful_settings import doubts
    from db.console.settings import ConsoleSettings

    settings = ConsoleSettings(**context.obj)
    # `make console` has an option of its own for it.
    check_port(bind, port, "PORT=" if "MAKELEVEL" in os.environ else "--port")
    for doubt in doubts(settings):
        note(f"insert-db: {doubt}")
    ready = opened(settings)
    _first_account(context)
    if bind not in ("127.0.0.1", "::1", "localhost") and not settings.console_https:
        note("insert-db: passwords cross the network in the clear: use a proxy with HTTPS (INSERTS_CONSOLE_HTTPS=true)")
    say(f"the console: {reachable(bind, port)} (Ctrl-C ends it)")
    serve(ready, bind, port)


def _first_account(context: typer.Context) -> None:
    """Ask the person at the terminal for the first account where there is none, or say how to make one."""
    from db.people import accounts

    with reading(context) as session:
        if accounts.every(session):
            return
    if not sys.stdin.isatty():
        note(copyable("insert-db: there is no account yet: `insert-db users add NAME --role administrator`"))
        return
    name = typer.prompt("there is no account yet; the first administrator's name")
    password = asked_password()
    with writing(context) as session:
        users.add_account(session, name, "administrator", password)
