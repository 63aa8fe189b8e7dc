"""Which versions of the schema there are, and which one a database has."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def head() -> str:
    """The newest revision that this version of the code knows."""
    revision = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if revision is None:
        raise RuntimeError("db/migrations holds no revision: the installation is incomplete")
    return revision


def revisions() -> list[str]:
    """All revisions that this version of the code knows, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]


def lost_by_downgrade(before: str, revision: str) -> list[tuple[str, str]]:
    """What a downgrade loses, step by step, as each migration's `LOST` says; the newest step first.

    Raises:
        ValueError: the revision is not one below `before`.
    """
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
    return MigrationContext.configure(connection).get_current_revision()


def alembic_config(connection: Connection | None = None) -> Config:
    """What Alembic needs to know: where the migrations are, and the connection to run them on, if any."""
    config = Config(attributes={"connection": connection})
    # Alembic's options take % as the start of a variable, and a folder may have one in its name.
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
