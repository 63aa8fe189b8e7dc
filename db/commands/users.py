"""`insert-db users`: who may sign in to the console."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from db.commands.output import answer, reading, writing
from db.schema.column_words import PersonRole
from db.terminal.person import who
from producer.terminal.options import Json
from producer.terminal.output import note, say

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy.orm import Session

    from db.people.accounts import Account

_Result = TypeVar("_Result")

TRIES: Final = 3
"""How often a person is asked for a valid password."""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Add, list, change and disable the accounts of the console, and the tokens of programs.",
)

Name = Annotated[str, typer.Argument(help="The account's name, with which its reviews are signed.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file whose first line is the password. [default: ask]", show_default=False),
]


@app.command()
def add(
    context: typer.Context,
    name: Name,
    role: Annotated[PersonRole, typer.Option(help="What it may do; each role includes those before it.")] = "viewer",
    password_file: PasswordFile = None,
) -> None:
    """Make an account. The command asks for the password, or reads it from a file.

    Examples:

    - `insert-db users add ana --role reviewer`
    - `insert-db users add board --password-file board.password`
    """
    password = _password(password_file)
    with writing(context) as session:
        account = add_account(session, name, role, password)
    say(f"{account.name} may sign in as {role}")


@app.command("list")
def list_users(context: typer.Context, as_json: Json = False) -> None:
    """List all accounts with their roles.

    Example: `insert-db users list`
    """
    with reading(context) as session:
        from db.people import accounts

        nothing = "no account yet: `insert-db users add NAME --role administrator`"
        answer(accounts.every(session), _table, as_json, nothing)


@app.command()
def disable(context: typer.Context, name: Name) -> None:
    """Disable an account, and end its sessions and tokens at once.

    Example: `insert-db users disable ana`
    """
    with writing(context) as session:
        from db.people import accounts, audit

        now = datetime.now(UTC)
        _known(lambda: accounts.disable(session, name, now))
        audit.write(session, at=now, by=who(), action="account disabled", subject=name)
    say(f"{name} may no longer sign in")


@app.command("role")
def set_role(
    context: typer.Context, name: Name, role: Annotated[PersonRole, typer.Argument(help="What it may do from now on.")]
) -> None:
    """Change an account's role. Its sessions and tokens have the new role at once.

    Example: `insert-db users role ana maintainer`
    """
    with writing(context) as session:
        from db.people import accounts, audit

        is_other = _known(lambda: accounts.set_role(session, name, role))
        if is_other:
            audit.write(session, at=datetime.now(UTC), by=who(), action="role changed", subject=name, role=role)
    say(f"{name} is {role} now" if is_other else f"{name} is {role} already")


@app.command()
def password(context: typer.Context, name: Name, password_file: PasswordFile = None) -> None:
    """Change an account's password, and end its sessions. A disabled account may sign in again.

    Example: `insert-db users password ana`
    """
    new = _password(password_file)
    with writing(context) as session:
        from db.people import accounts, audit

        _known(lambda: accounts.set_password(session, name, new))
        audit.write(session, at=datetime.now(UTC), by=who(), action="password changed", subject=name)
    say(f"{name} has another password")


def add_account(session: Session, name: str, role: PersonRole, password: str) -> Account:
    """Make an account, and note in the audit who did.

    Raises:
        ValueError: there is one of that name, the name is none, or the password is too short or too long.
    """
    from db.people import accounts, audit

    now = datetime.now(UTC)
    account = accounts.add(session, name, role, password, now)
    audit.write(session, at=now, by=who(), action="account added", subject=account.name, role=role)
    return account


def asked_password() -> str:
    """The password that the person at the terminal types twice; an invalid one is asked for again.

    Raises:
        ValueError: the last of `TRIES` was invalid or the two differed, or there is no terminal.
    """
    if not sys.stdin.isatty():
        raise ValueError("there is no terminal to ask for it: name a file that has the password, with --password-file")
    for _ in range(TRIES - 1):
        try:
            return _typed_password()
        except ValueError as error:
            note(f"{error}; try again")
    return _typed_password()


def _typed_password() -> str:
    from producer.configuration.passwords import RULE, checked

    first = checked(getpass.getpass(f"password ({RULE}): "))
    if getpass.getpass("once more: ") != first:
        raise ValueError("the two passwords differ")
    return first


def _password(file: Path | None) -> str:
    if file is not None:
        lines = file.read_text(encoding="utf-8").splitlines()
        return lines[0] if lines else ""
    return asked_password()


def _known(change: Callable[[], _Result]) -> _Result:
    try:
        return change()
    except LookupError as error:
        raise ValueError(str(error)) from error


def _table(rows: Sequence[Account]) -> Table:
    from rich.table import Table

    from db.terminal import tables

    table = Table()
    for heading in ("name", "role", "since", "may sign in"):
        table.add_column(heading)
    for row in rows:
        cells = (row.name, row.role, row.created_at, "no" if row.disabled else "yes")
        table.add_row(*(tables.text(cell) for cell in cells))
    return table
