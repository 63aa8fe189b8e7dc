"""`insert-db console`: the pages for browsers."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.terminal.output import note, say

DEFAULT_PORT = 8377


def console(
    context: typer.Context,
    bind: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of this machine to listen on; 0.0.0.0 is all of them.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port to listen on.")] = DEFAULT_PORT,
) -> None:
    """The console: the line at a glance, reviews, and what happened, as pages for a browser.

    There is no account at first: `insert-db users add NAME --role administrator` makes one. Beyond this machine put a
    proxy with HTTPS in front and set INSERTS_CONSOLE_HTTPS=true (docs/console.md).

    Examples:

    - `insert-db console`
    - `insert-db --data var/demo console --bind 0.0.0.0 --port 8080`
    """
    try:
        from db.console.serving import reachable, serve
    except ImportError as error:
        raise ValueError(f"the console is not installed ({error}): pip install 'insert-inspection[console]'") from None
    from db.console.settings import ConsoleSettings

    settings = ConsoleSettings(**context.obj)
    if bind not in ("127.0.0.1", "::1", "localhost") and not settings.console_https:
        note("insert-db: passwords cross the network in the clear: use a proxy with HTTPS (INSERTS_CONSOLE_HTTPS=true)")
    say(f"the console: {reachable(bind, port)} (Ctrl-C ends it)")
    serve(settings, bind, port)
