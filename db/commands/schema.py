"""`insert-db upgrade` and `downgrade`: the tables, brought to another version of the program."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from db.commands.output import settings_of
from producer.terminal.exit_codes import NO
from producer.terminal.options import Json
from producer.terminal.output import say, say_json


def upgrade(context: typer.Context, as_json: Json = False) -> None:
    """Bring the database's tables to this version, making them where there are none.

    Run it once on a new database, and after each update of this program before the workers start. What is in the
    database stays.

    Examples:

    - `insert-db upgrade`
    - `insert-db --data var/line upgrade`
    """
    from db.engine import migrate
    from db.engine.url import shown

    url = settings_of(context).url
    before = migrate.current(url)
    migrate.upgrade(url)
    after = migrate.current(url)
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
        str, typer.Argument(metavar="SCHEMA", help="The schema to go back to, as 0001; base takes all tables away.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take the tables back to an older schema, for an older version of this program.

    What the older schema has no column for is lost, and the command lists it before it asks. Stop the workers
    and make a backup first (`insert-db backup`); restoring one that was made before the upgrade is the better way back
    when nothing has come since. Run it with the newer version installed: the older one has no migration for it.

    Examples:

    - `insert-db downgrade 0001`
    - `insert-db downgrade 0001 --yes --json`
    """
    if not yes and (as_json or not sys.stdin.isatty()):
        raise typer.BadParameter("there is nobody to ask here: say --yes if what is lost may be lost")
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
