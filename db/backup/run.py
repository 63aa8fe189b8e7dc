"""Backups: the whole database in one file, and beside it a manifest that says what is in it.

The file is written under another name and appears when it is complete; the manifest appears last, so a file without one
is no backup. What the two engines do differently is in `db.backup.sqlite` and `db.backup.postgres`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from db.backup import postgres, sqlite
from db.backup.contents import BackupError, rows_of
from db.engine import clock, migrate, schema_version
from db.engine.database import Database
from db.engine.times import utc
from db.engine.url import parse_url, shown
from db.line import restored_checks, restores
from db.line.restores import Replaced
from db.people import restored_people
from db.people.restored_people import Withdrawn
from producer.files.durable_files import replaced_file, write_file
from producer.files.file_digest import file_digest

FORMAT: Final = 1
SUFFIXES: Final = {"sqlite": ".sqlite", "postgresql": ".dump"}


@dataclass(frozen=True)
class BackupManifest:
    """What a backup holds: `revision` is the schema's, `rows` of the main tables, `sha256` of the file."""

    format: int
    engine: str
    revision: str
    made_at: str
    rows: Mapping[str, int]
    size: int
    sha256: str


def back_up(url: str, target: Path, now: datetime) -> tuple[Path, BackupManifest]:
    """Write a backup of the database at `url`, beside whatever is being done in it; the file and its manifest.

    `target` is the file to write, or a folder that is there: then the file is named by the time, in UTC.

    Raises:
        BackupError: there is no such database, the file is there already, or a program that is needed is not.
        OSError: the disk is full or cannot be written; nothing is left then.
        SQLAlchemyError: the database is away.
    """
    engine = parse_url(url).get_backend_name()
    if migrate.current(url) is None:
        raise BackupError(f"there is no database at {shown(url)}, so there is nothing to back up")
    file = target / f"inserts-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{SUFFIXES[engine]}" if target.is_dir() else target
    for path in (file, manifest_path(file)):
        if path.exists():
            raise BackupError(f"{path} is there already: a backup is never written over another")
    if not file.parent.is_dir():
        raise BackupError(f"there is no folder {file.parent}")
    with replaced_file(file) as part:
        revision, rows = _engine(engine).write(url, part)
        manifest = BackupManifest(FORMAT, engine, revision, utc(now), rows, part.stat().st_size, file_digest(part))
    write_file(manifest_path(file), f"{json.dumps(asdict(manifest), indent=2)}\n".encode())
    return file, manifest


def restore(url: str, source: Path, *, replace: bool = False) -> tuple[Path, BackupManifest]:
    """Bring a backup back into the database at `url`; the file that was taken and its manifest.

    `source` is a backup's file, or a folder of them: then the newest is taken. All of it happens or nothing does. The
    audit says so: what was photographed before says nothing of what is in the heads now (`db.line.restores`).

    Raises:
        BackupError: it is no backup, it is damaged, of the other engine or of a newer version of this program, a
            program that is needed is not there, or the database holds something and `replace` does not say that it
            may go.
        OSError: it cannot be read, or the database's disk cannot be written.
        SQLAlchemyError: the database is away.
    """
    file = newest(source) if source.is_dir() else source
    manifest = read_manifest(file)
    engine = parse_url(url).get_backend_name()
    if manifest.engine != engine:
        raise BackupError(
            f"{file} is a backup of {manifest.engine}, and {shown(url)} is {engine}: restore it into a database of its "
            "own kind (INSERTS_DATABASE_URL)"
        )
    if manifest.revision not in schema_version.revisions():
        raise BackupError(
            f"{file} has schema {manifest.revision}, which this version does not know: install the version that made "
            f"it, or a newer one"
        )
    if file.stat().st_size != manifest.size or file_digest(file) != manifest.sha256:
        raise BackupError(f"{file} is damaged: it is not what its manifest says; take another backup")
    holds = rows_of(url)
    if sum(holds.values()) and not replace:
        contents = ", ".join(f"{count} {name}" for name, count in holds.items() if count)
        raise BackupError(
            f"{shown(url)} is not empty ({contents}): --replace lets all of it go. Back it up first, if in doubt"
        )
    before = _known_before(url) if holds else (Withdrawn(), Replaced())
    _engine(engine).read(url, file, manifest.revision, lambda restored: _note(restored, file.name, manifest, *before))
    rows = rows_of(url)
    if any(rows.get(name, 0) < count for name, count in manifest.rows.items()):  # more: somebody wrote meanwhile
        raise BackupError(f"{shown(url)} now holds {rows}, and the backup {dict(manifest.rows)}: do not use it")
    return file, manifest


def _known_before(url: str) -> tuple[Withdrawn, Replaced]:
    """What a restore must not take back: whom the database lets in no more, and that which it knew."""
    with closing(Database(url)) as database, database.reading() as session:
        return restored_people.withdrawn(session), restores.replaced(session)


def _note(url: str, file: str, manifest: BackupManifest, kept_out: Withdrawn, before: Replaced) -> None:
    """Have a database that a backup was brought back into say so, before anybody believes what it holds."""
    if "audit" not in manifest.rows:
        return
    with closing(Database(url)) as database, database.transaction() as session:
        at = clock.of_database(session)
        restores.record(session, at=at, file=file, made_at=manifest.made_at, before=before)
        restored_people.withdraw(session, kept_out, at)
        if manifest.revision == schema_version.head():  # else once the tables are brought up to date
            restored_checks.doubt(session)


def newest(folder: Path) -> Path:
    """The newest complete backup in a folder.

    Raises:
        BackupError: there is none.
    """
    backups = [
        (read_manifest(file).made_at, file)
        for file in sorted(folder.iterdir())
        if file.suffix in SUFFIXES.values() and manifest_path(file).exists()
    ]
    if not backups:
        raise BackupError(f"there is no backup in {folder}")
    return max(backups)[1]


def manifest_path(file: Path) -> Path:
    """Where the manifest of a backup's file lies."""
    return file.with_name(f"{file.name}.json")


def read_manifest(file: Path) -> BackupManifest:
    """The manifest of a backup.

    Raises:
        BackupError: there is no such file, it has no manifest, or one that cannot be understood.
    """
    if not file.is_file():
        raise BackupError(f"there is no file {file}")
    try:
        content: dict[str, Any] = json.loads(manifest_path(file).read_text(encoding="utf-8"))
        manifest = BackupManifest(**content)
    except FileNotFoundError:
        raise BackupError(f"{file} is no complete backup: its manifest {manifest_path(file).name} is missing") from None
    except (ValueError, TypeError):
        raise BackupError(f"the manifest {manifest_path(file)} cannot be read") from None
    if manifest.format != FORMAT:
        raise BackupError(f"{file} has format {manifest.format}, this version knows {FORMAT}: install a newer one")
    return manifest


def _engine(name: str) -> Any:
    return sqlite if name == "sqlite" else postgres
