"""Which versions of the schema there are, and which one a database has.

Every process asks the latter at its start. So Alembic, which takes a tenth of a second to import, is only for what
runs or reads migrations.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, column, inspect, select, table

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
_VERSION: Final = table("alembic_version", column("version_num"))
"""Where Alembic keeps the revision of a database."""


def head() -> str:
    """The newest revision that this version of the code knows."""
    return revisions()[0]


def revisions() -> list[str]:
    """All revisions that this version of the code knows, the newest first: the first word of each migration's file."""
    known = sorted((file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/[0-9]*.py")), reverse=True)
    if not known:
        raise RuntimeError("db/migrations holds no revision: the installation is incomplete")
    return known


def lost_by_downgrade(before: str, revision: str) -> list[tuple[str, str]]:
    """What a downgrade loses, step by step, as each migration's `LOST` says; the newest step first.

    Raises:
        ValueError: the revision is not one below `before`.
    """
    from alembic.script import ScriptDirectory

    losses = []
    for script in ScriptDirectory.from_config(alembic_config()).walk_revisions():
        if script.revision == revision:
            break
        if int(script.revision) <= int(before):
            losses.append((script.revision, str(getattr(script.module, "LOST", "its migration does not say"))))
    else:
        if revision != "base":
            raise ValueError(f"there is no schema {revision!r}; there are {', '.join(revisions()[::-1])} and base")
    return losses


def revision_of(connection: Connection) -> str | None:
    """The revision of a database, or None where it has none of this program's tables."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))


def alembic_config(connection: Connection | None = None) -> Config:
    """What Alembic needs to know: where the migrations are, and the connection to run them on, if any."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # Alembic's options take % as the start of a variable, and a folder may have one in its name.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
