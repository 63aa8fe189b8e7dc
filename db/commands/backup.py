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
        Path,
        typer.Argument(metavar="FILE|FOLDER", help="The file to write. In a folder, the file is named by the time."),
    ],
    as_json: Json = False,
) -> None:
    """Back up the database while the line runs. The file and its manifest (FILE.json) belong together.

    A SQLite database is copied by its own online backup, and the copy is checked. A PostgreSQL database is dumped by
    `pg_dump` (custom format), which must be as new as the server.

    After the database, also copy these with any tool that copies files:

    - the models (DATA/models, INSERTS_MODELS): without them nothing judges until the next training
    - the networks (DATA/networks, INSERTS_NETWORKS): each model needs the network that it was trained with
    - imported weights (DATA/weights), unless you still have the original files
    - the photographs (DATA/images, INSERTS_IMAGES): the system learns from the labelled ones

    You need no backup of features (DATA/features; they are extracted again), Redis (stations send unanswered captures
    again), logs and evaluations.

    Examples:

    - `insert-db backup /backup` (daily, from cron or a timer)
    - `insert-db backup before-upgrade.sqlite`
    """
    from db.backup import run as subject
    from db.queries.plain_values import plain

    if not target.suffix and not target.exists():
        # If a folder is missing or its disk is not mounted, the backup would become a file of that name.
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
        Path, typer.Argument(metavar="FILE|FOLDER", help="A backup's file, or a folder, for its newest backup.")
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Delete what the database holds now.")] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup, all of it or nothing. Stop the workers first.

    The backup is compared with its manifest before the restore, and the database after it. Without `--replace`, the
    database must be empty. A PostgreSQL database must exist (`createdb`), and `pg_restore` must be as new as the
    server.

    After the restore:

    1. If the backup has an older schema, the command says so: run `insert-db upgrade`.
    2. Put the models, networks and photographs back in their places.
    3. Start the workers.

    Captures that were judged after the backup are not in it, and stations that have their answers do not send them
    again. Damage that was seen since is not known then: check every head anew before it runs. Until then each is old on
    the board, and its last check is review wherever it is asked for or sent. A head that was photographed for the first
    time since is not known at all: `insert-db replace` names it, if the replaced database could be read.

    Accounts have the passwords and roles of then. Accounts that the replaced database had disabled and tokens that it
    had revoked stay so; if it is lost, disable and revoke them again.

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
        say(
            f"what was judged after {manifest.made_at} is not known, damaged inserts too, and no head that was "
            "photographed for the first time since: check every head anew before it runs; until then each is old on "
            "the board, and its last check is review"
        )
        if manifest.rows.get("accounts"):
            say(
                copyable(
                    f"the console's accounts have the passwords and roles of {manifest.made_at}: "
                    "`insert-db users list`; its tokens: `insert-db users token list`"
                )
            )


def _rows(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in rows.items())
