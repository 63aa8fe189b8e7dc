"""Brings a database to a version of the schema: the only way tables come into being."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from db.engine.database import make_engine, waitable
from db.engine.url import sqlite_file

# Any number, as long as everybody who migrates takes the same one.
_ADVISORY_LOCK = 7_233_150_406


def head() -> str:
    """The newest revision that this version of the code knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError("db/migrations holds no revision: the installation is incomplete")
    return revision


def revisions() -> list[str]:
    """All revisions that this version of the code knows, the newest first."""
    return [each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()]


def lost_by_downgrade(before: str, revision: str) -> list[tuple[str, str]]:
    """What a downgrade lets go, step by step, as each migration's ``LOST`` says; the newest step first.

    Raises:
        ValueError: the revision is not one below ``before``.
    """
    found = []
    for script in ScriptDirectory.from_config(_config()).walk_revisions():
        if script.revision == revision:
            break
        if int(script.revision) <= int(before):
            found.append((script.revision, str(getattr(script.module, "LOST", "its migration does not say"))))
    else:
        if revision != "base":
            raise ValueError(f"there is no schema {revision!r}; there are {', '.join(revisions()[::-1])} and base")
    return found


def revision_of(connection: Connection) -> str | None:
    """The revision of a database, or None where it has no tables of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def current(url: str) -> str | None:
    """The revision of the database at ``url``, or None where it is empty or, on SQLite, not there."""
    path = sqlite_file(url)
    if path is not None and not path.exists():
        return None
    engine = make_engine(url, reads_only=True)
    try:
        with waitable(url), engine.connect() as connection:
            return revision_of(connection)
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to a revision; for SQLite, its folder and file are made where there are none.

    All steps happen in one transaction, and of several processes that upgrade at once one does the work.
    """
    path = sqlite_file(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    _run(url, lambda config: command.upgrade(config, revision), create=True)


def downgrade(url: str, revision: str) -> None:
    """Take the database back down to a revision; ``base`` leaves no tables. What they held is lost."""
    _run(url, lambda config: command.downgrade(config, revision), create=False)


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    # Alembic's options take % as the start of a variable, and a folder may have one in its name.
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _run(url: str, step: Callable[[Config], None], *, create: bool) -> None:
    engine = make_engine(url, create=create, foreign_keys=False)
    try:
        with waitable(url), engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            step(_config(connection))
            if engine.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"the migration would leave {len(broken)} rows without what they refer to")
    finally:
        engine.dispose()
