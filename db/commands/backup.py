"""`insert-db backup` and `restore`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from db.commands.output import settings_of
from producer.terminal.options import Json
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable


def backup(
    context: typer.Context,
    target: Annotated[
        Path, typer.Argument(metavar="FILE|FOLDER", help="The file to write; in a folder it is named by the time.")
    ],
    as_json: Json = False,
) -> None:
    """Back up the database, while the line goes on working; the file and its manifest (FILE.json) belong together.

    SQLite is copied by its own online backup and the copy is checked; PostgreSQL is dumped by its `pg_dump` (custom
    format), which must be as new as the server.

    Besides the database, keep these (copy them after the database, with what you copy files with):

    - the models (DATA/models, INSERTS_MODELS): without them nothing judges until the next training
    - the networks (DATA/networks, INSERTS_NETWORKS), with the models: a model judges by its own network and no other
    - imported weights (DATA/weights), unless you still have the files they came from
    - the photographs (DATA/images, INSERTS_IMAGES): the labelled ones are what the system learns from

    Not worth a backup: features (DATA/features; they are extracted again), Redis (stations send again what was not
    answered), logs and evaluations.

    Examples:

    - `insert-db backup /backup` (daily, from cron or a timer)
    - `insert-db backup before-upgrade.sqlite`
    """
    from db.backup import run as subject
    from db.queries.plain_values import plain

    if not target.suffix and not target.exists():
        # Of a folder that is missing, or whose disk is not mounted, a backup would make a file, once.
        raise ValueError(
            f"there is no folder {target}: make it, or name a file with an ending, such as {target}.sqlite"
        )
    file, manifest = subject.back_up(settings_of(context).url, target, datetime.now(UTC))
    if as_json:
        say_json({"file": str(file), **plain(manifest)})
    else:
        say(f"{file}: schema {manifest.revision}, {manifest.size} bytes, {_rows(manifest.rows)}")


def restore(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="FILE|FOLDER", help="A backup's file; of a folder the newest is taken.")
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Delete what the database holds now.")] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup, all of it or nothing; stop the workers first.

    The backup is compared with its manifest before, and the database after. A database that holds something is refused
    without --replace. PostgreSQL's database itself must be there (`createdb`), and `pg_restore` as new as the server.

    Then: `insert-db upgrade` where the backup has an older schema (the command says so); models, networks and
    photographs back in their places; then the workers. What was judged after the backup was made is not in it, and
    stations that got their answers do not send it again.

    Examples:

    - `insert-db restore /backup`
    - `insert-db restore /backup/inserts-20261122T030000Z.dump --replace`
    """
    from db.backup import run as subject
    from db.engine import schema_version
    from db.queries.plain_values import plain

    file, manifest = subject.restore(settings_of(context).url, source, replace=replace)
    older = manifest.revision != schema_version.head()
    if as_json:
        say_json({"file": str(file), "upgrade_needed": older, **plain(manifest)})
    else:
        say(f"{file} of {manifest.made_at} is restored: schema {manifest.revision}, {_rows(manifest.rows)}")
        if older:
            say(copyable(f"next: `insert-db upgrade`, this version has schema {schema_version.head()}"))


def _rows(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in rows.items())
