"""Serves a console until it must stop."""

from __future__ import annotations

import gc
import logging
import signal
import socket

import uvicorn
from fastapi import FastAPI

from db.console.app import make_app, make_console
from db.console.context import Console
from db.console.settings import ConsoleSettings

GRACE_SECONDS = 2
"""How long answers in progress may take after a request to stop; then the streams of open pages are cut."""


def opened(settings: ConsoleSettings) -> Console:
    """A console that can serve.

    Raises:
        SchemaOutdated: the database is not of this version.
        DatabaseUnavailable: the database is away.
        ValueError: a setting is wrong.
    """
    console = make_console(settings)
    console.database.check_schema()
    return console


def serve(console: Console, address: str, port: int) -> None:
    """Answer browsers until SIGTERM or Ctrl-C."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    configuration = uvicorn.Config(
        ready(console),
        host=address,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # an address that a header claims would get round the throttle
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # uvicorn ends well, and then raises the signal that ended it once more: that is no error.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        uvicorn.Server(configuration).run()
    finally:
        console.database.close()


def ready(console: Console) -> FastAPI:
    """The application of a console, in a process that does nothing else.

    What it is made of stays for ever, more than 150,000 objects: Python would go through them again every few large
    pages, for a tenth of a second.
    """
    app = make_app(console)
    gc.collect()
    gc.freeze()
    return app


def reachable(address: str, port: int) -> str:
    """The address to type into a browser."""
    if address in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        address = socket.gethostname()
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
