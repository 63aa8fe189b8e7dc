"""`insert-db users token`: the tokens with which programs sign in to the console's API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from db.commands.output import answer, reading, writing
from db.terminal.person import who
from producer.terminal.options import Json
from producer.terminal.output import note, say

if TYPE_CHECKING:
    from rich.table import Table

    from db.people.tokens import Token

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Add, list and revoke the tokens with which programs sign in to the console's API.",
)

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account whose role the token has.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The token's name, which the audit shows: what it is for.")]


@app.command()
def add(
    context: typer.Context,
    account: Account,
    name: Name,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, help="Days until it expires. [default: it never does]", show_default=False),
    ] = None,
) -> None:
    """Make a token and print it once. Only its digest is stored.

    Examples:

    - `insert-db users token add mes "shift reports" --days 365`
    - `TOKEN=$(insert-db users token add mes dashboard)`
    """
    with writing(context) as session:
        from db.people import audit, tokens

        now = datetime.now(UTC)
        expires_at = None if days is None else now + timedelta(days=days)
        try:
            secret = tokens.add(session, account, name, now, expires_at)
        except LookupError as error:
            raise ValueError(str(error)) from error
        audit.write(session, at=now, by=who(), action="token added", subject=account, token=name, days=days)
    say(secret)
    note("insert-db: the token is not shown again: keep it where only that program can read it")


@app.command("list")
def list_tokens(
    context: typer.Context,
    account: Annotated[
        str | None, typer.Argument(metavar="ACCOUNT", help="Only this account's tokens.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List all tokens, also expired ones, with the time of each one's last use.

    Example: `insert-db users token list`
    """
    with reading(context) as session:
        from db.people import tokens

        answer(
            tokens.every(session, account), _table, as_json, "no token yet: `insert-db users token add ACCOUNT NAME`"
        )


@app.command()
def revoke(context: typer.Context, account: Account, name: Name) -> None:
    """Revoke a token, at once and for good.

    Example: `insert-db users token revoke mes dashboard`
    """
    with writing(context) as session:
        from db.people import audit, tokens

        now = datetime.now(UTC)
        try:
            tokens.revoke(session, account, name, now)
        except LookupError as error:
            raise ValueError(str(error)) from error
        audit.write(session, at=now, by=who(), action="token revoked", subject=account, token=name)
    say(f"{account}'s token {name} is revoked")


def _table(rows: Sequence[Token]) -> Table:
    from rich.table import Table

    from db.terminal import tables

    table = Table()
    for heading in ("account", "token", "since", "last used", "ends", "opens"):
        table.add_column(heading)
    now = datetime.now(UTC)
    for row in rows:
        ended = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now)
        cells = (row.account, row.name, row.created_at, row.last_used_at or "never")
        ends = row.revoked_at or row.expires_at or "never"
        table.add_row(*(tables.text(cell) for cell in (*cells, ends, "no" if ended else "yes")))
    return table
