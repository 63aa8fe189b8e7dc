"""Brings a database's tables to this version; what a restored backup of an older schema left is doubted then."""

from __future__ import annotations

from contextlib import closing

from db.engine import migrate
from db.engine.database import Database
from db.line import restored_checks


def upgrade(url: str) -> tuple[str | None, str | None]:
    """Migrate the tables; the schema before, None for a new database, and the schema now.

    Raises:
        SchemaOutdated: it is of a newer version of this program.
        DatabaseUnavailable: it is away, or refuses.
    """
    before = migrate.current(url)
    migrate.upgrade(url)
    after = migrate.current(url)
    if before is not None:  # also of the schema of now: whoever migrated the tables may not have got here
        with closing(Database(url)) as database, database.transaction() as session:
            restored_checks.doubt(session)
    return before, after
