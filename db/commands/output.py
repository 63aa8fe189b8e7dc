"""How the commands of `insert-db` open the database, and how they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

from producer.terminal.output import note, say, say_json
from producer.terminal.programs import copyable

# SQLAlchemy is imported where the database is opened, so that --help answers at once.
if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy.orm import Session

    from db.engine.database import Database
    from db.settings import DatabaseSettings

T = TypeVar("T")


def explained(error: Exception) -> str | None:
    """An error in one line for the person at the terminal; None for one that is a fault of the program."""
    from sqlalchemy.exc import SQLAlchemyError

    from db.engine.database import DatabaseUnavailable, SchemaOutdated
    from producer.terminal.error_text import in_words

    if isinstance(error, SchemaOutdated):
        message = f"{error}. Is it elsewhere? --data FOLDER or INSERTS_DATA says where; `insert-worker demo` makes one"
    elif isinstance(error, DatabaseUnavailable):
        message = f"the database does not answer: {error}"
    elif isinstance(error, (OSError, ValueError, SQLAlchemyError)):
        message = in_words(error)
    else:
        return None
    return " ".join(message.split())  # a driver's message may have several lines


@contextmanager
def reading(context: typer.Context) -> Iterator[Session]:
    """A session that reads the database that the command is asked about; never makes one.

    Raises:
        SchemaOutdated: there is none, or it is out of date.
        DatabaseUnavailable: it is away.
        ValueError: it is not named as it should be.
    """
    with opened(context, reads_only=True) as database, database.reading() as session:
        yield session


@contextmanager
def writing(context: typer.Context) -> Iterator[Session]:
    """A session whose changes are kept when the block ends well; otherwise as `reading`."""
    with opened(context) as database, database.transaction() as session:
        yield session


@contextmanager
def opened(context: typer.Context, *, reads_only: bool = False) -> Iterator[Database]:
    """The database that the command is asked about, for several sessions of it; otherwise as `reading`.

    With `reads_only` a SQLite file that may only be read will do.
    """
    from db.engine.database import Database

    database = Database(settings_of(context).url, reads_only=reads_only)
    try:
        database.check_schema()
        yield database
    finally:
        database.close()


def settings_of(context: typer.Context) -> DatabaseSettings:
    """The settings of the environment, with the options of all commands in their place.

    Called by a command once it does something: `--help` reads no settings and loads none of what they need.
    """
    from db.settings import DatabaseSettings

    return DatabaseSettings(**context.obj)


def answer(
    rows: Sequence[T],
    table: Callable[[Sequence[T]], Table],
    as_json: bool,
    nothing: str,
    limit: int | None = None,
) -> None:
    """Print what was found: as one JSON array, as a table, or the sentence for `nothing`.

    With a `limit` that was reached, a note on stderr says that there may be more.
    """
    from db.queries.plain_values import plain

    if as_json:
        say_json(plain(list(rows)))
    elif not rows:
        say(copyable(nothing))
    else:
        from producer.terminal.console import print_table

        print_table(table(rows))
        if len(rows) == limit:
            note(f"the newest {limit}; there may be more: --limit")
