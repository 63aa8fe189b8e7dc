"""How the commands of ``insert-db`` open the database, and how they answer."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer

# SQLAlchemy is imported where the database is opened, so that --help answers at once.
if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy.orm import Session

    from db.session import Database

T = TypeVar("T")


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a person can do something about into one line on stderr and exit code 1."""
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    from db.session import DatabaseUnavailable, SchemaOutdated

    try:
        yield
        sys.stdout.flush()  # here, where a reader that has gone is known how to be taken
    except BrokenPipeError:
        # The reader has seen enough (as `head` does); Python must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except SchemaOutdated as error:
        message = f"{error}. Is it elsewhere? --data FOLDER or INSERTS_DATA says where; `insert-worker demo` makes one"
    except DatabaseUnavailable as error:
        message = f"the database does not answer: {error}. Is it running, and may it be reached from here?"
    except ValidationError as error:  # without pydantic's link to its web site
        problems = error.errors(include_url=False, include_input=False)
        said = (f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}" for each in problems)
        message = "; ".join(said)
    except (OSError, ValueError, SQLAlchemyError) as error:
        message = str(error)
    else:
        return
    # A driver's message may have several lines; here each error is one.
    print(f"insert-db: {' '.join(message.split())}", file=sys.stderr)
    raise typer.Exit(1)


@contextmanager
def reading(url: str) -> Iterator[Session]:
    """A session that reads the database at ``url``; never makes one.

    Raises:
        typer.Exit: with code 1, when there is none, it is out of date or away; stderr then says what to do.
    """
    with opened(url) as database, database.reading() as session:
        yield session


@contextmanager
def writing(url: str) -> Iterator[Session]:
    """A session whose changes are kept when the block ends well; otherwise as `reading`.

    Raises:
        typer.Exit: with code 1, as in `reading`.
    """
    with opened(url) as database, database.transaction() as session:
        yield session


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database at ``url``, for a command that needs several sessions of it; otherwise as `reading`.

    Raises:
        typer.Exit: with code 1, as in `reading`.
    """
    with clear_errors():
        from db.session import Database

        database = Database(url)
        try:
            database.check_schema()
            yield database
        finally:
            database.close()


def images_root(context: typer.Context) -> str:
    """The root of the image store that belongs to the line that the command is asked about."""
    from db.settings import DatabaseSettings

    data = context.find_root().params.get("data")
    given: dict[str, Any] = {} if data is None else {"data": data}
    return DatabaseSettings(**given).images_root


def answer(
    found: Sequence[T],
    table: Callable[[Sequence[T]], Table],
    as_json: bool,
    nothing: str,
    limit: int | None = None,
) -> None:
    """Print what was found: as one JSON array, as a table, or the sentence for nothing.

    With a ``limit`` that was reached, a person is told on stderr that there may be more.
    """
    from db.plain import plain

    if as_json:
        print_json(plain(list(found)))
    elif not found:
        print(nothing)
    else:
        print_table(table(found))
        if len(found) == limit:
            print(f"the newest {limit}; there may be more: --limit", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print one JSON value, and nothing else, on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or as wide as it needs where there is none."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        # Measured where there is room: a table is never wider than the console it is measured for.
        console.width = 10_000
        console.width = max(console.measure(table).maximum, 20)
    console.print(table)
