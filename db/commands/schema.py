"""`insert-db upgrade` and `downgrade`: migrate the tables to another version of the program."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from db.commands.output import settings_of
from producer.terminal.exit_codes import NO
from producer.terminal.options import Json
from producer.terminal.output import say, say_json


def upgrade(context: typer.Context, as_json: Json = False) -> None:
    """Migrate the database's tables to this version of the program, or create them.

    Run it once for a new database, and after each update of this program, before the workers start. All data is kept.

    Examples:

    - `insert-db upgrade`
    - `insert-db --data var/line upgrade`
    """
    from db.engine.url import shown
    from db.line.schema_upgrade import upgrade as bring_up_to_date

    url = settings_of(context).url
    before, after = bring_up_to_date(url)
    where = shown(url)
    if as_json:
        say_json({"database": where, "before": before, "after": after})
    elif before == after:
        say(f"{where} is up to date (schema {after})")
    else:
        say(f"{where} now has schema {after} (before: {before or 'none'})")


def downgrade(
    context: typer.Context,
    revision: Annotated[
        str, typer.Argument(metavar="SCHEMA", help="The schema to go back to, such as 0001; base removes all tables.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Migrate the tables back to an older schema, for an older version of this program.

    Data that the older schema has no column for is lost; the command lists it before it asks. Stop the workers and make
    a backup first (`insert-db backup`). If nothing has arrived since the upgrade, restore the backup from before it
    instead. Run the command with the newer version installed: the older one does not have the migration.

    Exit codes: 0: done. 1: you answered no. 2: there is no database, or this version does not know its schema.

    Examples:

    - `insert-db downgrade 0001`
    - `insert-db downgrade 0001 --yes --json`
    """
    if not yes and (as_json or not sys.stdin.isatty()):
        raise typer.BadParameter("there is no terminal to ask at: give --yes if that data may be lost")
    from db.engine import migrate, schema_version
    from db.engine.url import shown

    url = settings_of(context).url
    where = shown(url)
    before = migrate.current(url)
    if before is None:
        raise ValueError(f"there is no database at {where}")
    if before not in schema_version.revisions():
        raise ValueError(f"{where} has schema {before}, which this version does not know: take the one that made it")
    lost = schema_version.lost_by_downgrade(before, revision)
    if not as_json:
        if not lost:
            say(f"{where} has schema {before}: that is not above {revision}")
        for step, what in lost:
            say(f"going below schema {step} loses: {what}")
    if lost:
        if not yes and not typer.confirm("Lose it?"):
            raise typer.Exit(NO)
        migrate.downgrade(url, revision)
    after = migrate.current(url)
    if as_json:
        say_json({"database": where, "before": before, "after": after, "lost": [what for _, what in lost]})
    elif lost:
        say(f"{where} now has schema {after or 'none'} (before: {before})")
