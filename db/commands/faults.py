"""`insert-db faults`: captures that could not be judged, why, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from db.commands.output import answer, reading, writing
from db.schema.column_words import AuditAction, FaultState
from db.terminal.person import who
from producer.terminal.options import LARGEST, Json, Limit
from producer.terminal.output import say, say_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.line.faults import Fault

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="List, show, requeue and dismiss faults: captures that could not be judged.",
)

Number = Annotated[
    int, typer.Argument(min=1, max=LARGEST, metavar="NUMBER", help="The fault's number, as `list` shows it.")
]


@app.command("list")
def list_faults(
    context: typer.Context,
    state: Annotated[Literal[FaultState, "all"], typer.Option(help="Only faults in this state.")] = "open",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the captures that could not be judged, and why, newest first; then stations with only unusable photographs.

    Example: `insert-db faults list --json`
    """
    with reading(context) as session:
        from db.line import faults
        from db.queries import unusable_runs
        from db.terminal import tables

        chosen = None if state == "all" else state
        rows = faults.search(session, state=chosen, limit=limit)
        answer(rows, tables.fault_table, as_json, "no faults", limit)
        for run in [] if as_json else unusable_runs.runs(session):
            say(f"the last {run.captures} photographs of station {run.station} cannot be judged: {run.reason}")


@app.command()
def show(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Show one fault with its event.

    Example: `insert-db faults show 17`
    """
    with reading(context) as session:
        from db.line import faults
        from db.queries.plain_values import plain

        fault = faults.find(session, number)
        if fault is None:
            raise ValueError(f"there is no fault {number}; `insert-db faults list` shows those there are")
        if as_json:
            say_json(plain(fault))
        else:
            for name, value in plain(fault).items():
                say(f"{name:<11} {'–' if value is None else value}")


@app.command()
def requeue(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Queue a capture again after its fault's cause is removed. A worker takes it within seconds.

    Example: `insert-db faults requeue 17`
    """
    from db.line import faults

    _change(context, number, "fault requeued", faults.requeue, as_json)


@app.command()
def dismiss(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Dismiss a fault that needs no action. It leaves the list of open faults, but is kept.

    Example: `insert-db faults dismiss 17`
    """
    from db.line import faults

    _change(context, number, "fault dismissed", faults.dismiss, as_json)


def _change(
    context: typer.Context, number: int, action: AuditAction, change: Callable[[Session, int], Fault], as_json: bool
) -> None:
    now = datetime.now(UTC)
    with writing(context) as session:
        from db.people import audit
        from db.queries.plain_values import plain

        try:
            fault = change(session, number)
        except LookupError as error:
            raise ValueError(str(error)) from error
        audit.write(session, at=now, by=who(), action=action, subject=str(number), reason=fault.reason)
        if as_json:
            say_json(plain(fault))
        else:
            say(f"fault {fault.id} is {fault.state}")
