"""Brings a database to a version of the schema: the only way tables come into being."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import func, select

from db.engine.database import SchemaOutdated, engine_for
from db.engine.schema_version import alembic_config, revision_of, revisions
from db.engine.url import shown, sqlite_file

# Any number, as long as every process that migrates takes the same one.
_ADVISORY_LOCK = 7_233_150_406


def current(url: str) -> str | None:
    """The revision of the database at `url`, or None where it is empty or, on SQLite, not there."""
    path = sqlite_file(url)
    if path is not None and not path.exists():
        return None
    with engine_for(url, reads_only=True) as engine, engine.connect() as connection:
        return revision_of(connection)


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to a revision; for SQLite, its folder and file are made where there are none.

    All steps happen in one transaction, and of several processes that upgrade at once one does the work.

    Raises:
        SchemaOutdated: it is of a newer version of this program.
        DatabaseUnavailable: it is away, or refuses.
    """
    path = sqlite_file(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    _run(url, lambda config: command.upgrade(config, revision), create=True)


def downgrade(url: str, revision: str) -> None:
    """Take the database back down to a revision; `base` leaves no tables. What they held is lost."""
    _run(url, lambda config: command.downgrade(config, revision), create=False)


def _run(url: str, step: Callable[[Config], None], *, create: bool) -> None:
    with engine_for(url, create=create, foreign_keys=False) as engine, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        revision = revision_of(connection)
        if revision is not None and revision not in revisions():
            raise SchemaOutdated(
                f"the database {shown(url)} has schema {revision}, which this version does not know: it is of a "
                "newer version of this program, which you need"
            )
        step(alembic_config(connection))
        if engine.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise RuntimeError(f"the migration would leave {len(broken)} rows without what they refer to")
