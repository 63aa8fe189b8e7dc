"""The command `insert-db`: what the database knows, for people and for programs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from db.commands import (
    backup,
    checks,
    console,
    drift,
    export,
    faults,
    history,
    insert_changes,
    life,
    models,
    mtconnect,
    prune,
    replace,
    reviews,
    schema,
    shadow,
    tokens,
    users,
    verdicts,
)
from db.commands.output import explained
from producer.terminal.entry_point import run
from producer.terminal.option_places import AnyPlace
from producer.terminal.options import Data

app = typer.Typer(
    cls=AnyPlace,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

app.add_typer(faults.app, name="faults")
users.app.add_typer(tokens.app, name="token")
app.add_typer(users.app, name="users")


@app.callback(epilog="Start with `insert-db checks` and `insert-db replace`. Every command has `--help` with examples.")
def _root(
    context: typer.Context,
    data: Data = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Another database: sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME. Better keep the "
            "password in the environment or in a file. [env: INSERTS_DATABASE_URL, INSERTS_DATABASE_PASSWORD, "
            "INSERTS_DATABASE_PASSWORD_FILE]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Ask the line's database about verdicts, checks, inserts to replace, histories, reviews, faults and models.

    Settings come from options, or else from the environment:

    - the line: `INSERTS_DATA`, `INSERTS_IMAGES`
    - another database: `INSERTS_DATABASE_URL`, and its password in `INSERTS_DATABASE_PASSWORD` or
      `INSERTS_DATABASE_PASSWORD_FILE`
    - the costs of `life`: `INSERTS_PLANNED_CHANGE`, `INSERTS_DAMAGED_CHANGE`
    - the console: `INSERTS_HEADS` and `INSERTS_CONSOLE_…` (docs/console.md)
    """
    options: dict[str, Any] = {} if data is None else {"data": data}
    if database is not None:
        options["database_url"] = database
    elif data is not None:
        options["database_url"] = None  # the folder that was named, not the environment's database
    context.obj = options  # for `settings_of`


for command in (
    reviews.review,
    reviews.reviews,
    insert_changes.insert_changed,
    shadow.shadow,
    verdicts.verdicts,
    checks.checks,
    replace.replace,
    history.history,
    drift.drift,
    life.life,
    models.models,
    export.export,
    mtconnect.mtconnect,
    console.console,
    prune.prune,
    backup.backup,
    backup.restore,
    schema.upgrade,
    schema.downgrade,
):
    app.command()(command)


def main() -> None:
    """Run `insert-db`; what a person can put right ends with its message, not with a traceback."""
    run(app, explained=explained, program="insert-db")


if __name__ == "__main__":
    main()
