"""Statements that every message needs: compiled once, and then only given their values.

SQLAlchemy's `execute` takes several times as long for such a statement as the database does, most of it for finding
what it has compiled before. Here that is looked up by how many values there are, and goes to the driver as it is: to
SQLite's, whose connections cannot be lost, without SQLAlchemy in between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam, exc
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

from db.engine.upsert import insert_into

_Processor = Callable[[Any], Any]


def inserted(dialect: str, table: type[DeclarativeBase], names: Sequence[str], rows: int) -> Any:
    """An `INSERT` of so many rows at once that knows `ON CONFLICT`; its values are the rows of `Prepared.execute`."""
    types = {name: table.__table__.c[name].type for name in names}
    return insert_into(dialect, table).values(
        [{name: bindparam(f"{name}_{row}", type_=types[name]) for name in names} for row in range(1, rows + 1)]
    )


@dataclass
class _Statement:
    """A statement as its driver reads it.

    `places` says of each of its parameters, in the statement's order, how it is called, where it stands among all
    values (those of the rows by `columns`, row after row, then single ones, then those of lists, then its `own`
    constants), and how it goes in. How values come `out`, by column, is known from the first answer on, as it depends
    on what the driver calls their types.
    """

    text: str
    columns: Sequence[str]
    places: Sequence[tuple[str, int, _Processor | None]]
    positional: bool
    own: Sequence[Any]
    types: Sequence[TypeEngine[Any]]
    out: Sequence[tuple[int, _Processor]] | None = None


class Prepared:
    """A statement of SQLAlchemy's, prepared for each dialect and number of values when it is first needed."""

    def __init__(self, build: Callable[[str, int], Any]):
        """Nothing is prepared yet.

        Args:
            build: makes the statement for a dialect and a number of rows (see `inserted`). A list of values is one
                `bindparam` with `expanding`.
        """
        self._build = build
        self._statements: dict[tuple[object, ...], _Statement] = {}

    def execute(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]] = (), /, **values: Any
    ) -> Sequence[Sequence[Any]]:
        """Execute it in a transaction that has begun, with rows to insert, or with values and lists of values.

        What comes back are rows of plain values. All rows to insert have the same names, and each call has the values
        in the same order.
        """
        lists = [value for value in values.values() if isinstance(value, list)]
        key = (connection.dialect.name, len(rows), *map(len, lists))
        prepared = self._statements.get(key)
        if prepared is None:
            prepared = self._statements[key] = self._make(connection.dialect, rows, values)
        parameters = [row[name] for row in rows for name in prepared.columns]
        parameters += [value for value in values.values() if not isinstance(value, list)]
        for members in lists:
            parameters += members
        parameters += prepared.own
        bound = [process(parameters[place]) if process else parameters[place] for _, place, process in prepared.places]
        answer, description = _sent(connection, prepared, bound)
        if prepared.out is None and description is not None:
            prepared.out = _processors(connection.dialect, prepared.types, description)
        if prepared.out:
            return [_processed(row, prepared.out) for row in answer]
        return answer

    def _make(self, dialect: Dialect, rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> _Statement:
        statement = self._build(dialect.name, len(rows))
        compiled = statement.compile(dialect=dialect)
        columns = tuple(rows[0]) if rows else ()
        parameters = {f"{name}_{number}": row[name] for number, row in enumerate(rows, 1) for name in columns}
        parameters |= {name: value for name, value in values.items() if not isinstance(value, list)}
        # From here on it is the names' order that counts.
        names = list(parameters)
        lists = {name: value for name, value in values.items() if isinstance(value, list)}
        names += [f"{name}_{number}" for name, members in lists.items() for number in range(1, len(members) + 1)]
        state = compiled.construct_expanded_state(parameters | lists)
        into = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        for name, expanded in state.parameter_expansion.items():
            into |= dict.fromkeys(expanded, into[name])
        own = {name: value for name, value in state.parameters.items() if name not in set(names)}
        names += own
        places = {name: place for place, name in enumerate(names)}
        return _Statement(
            text=state.statement,
            columns=columns,
            places=[(name, places[name], into.get(name)) for name in state.positiontup or state.parameters],
            positional=state.positiontup is not None,
            own=list(own.values()),
            types=[column.type.dialect_impl(dialect) for column in statement.exported_columns],
        )


def _sent(connection: Connection, prepared: _Statement, bound: Sequence[Any]) -> tuple[Sequence[Sequence[Any]], Any]:
    """What the database answers, and how its driver describes the columns; None where there are none."""
    # Whoever listens to statements hears of these too.
    if connection.dialect.name == "sqlite" and not connection.dispatch.before_cursor_execute:
        file: Any = connection.connection.driver_connection
        try:
            cursor = file.execute(prepared.text, bound)
            return cursor.fetchall(), cursor.description
        except sqlite3.Error as error:
            raise exc.DBAPIError.instance(prepared.text, tuple(bound), error, sqlite3.Error) from error
    named = zip((name for name, *_ in prepared.places), bound, strict=True)
    result = connection.exec_driver_sql(prepared.text, tuple(bound) if prepared.positional else dict(named))
    if not result.returns_rows:
        return (), None
    description = result.cursor.description if result.cursor else ()
    return result.all(), description


def _processed(row: Sequence[Any], out: Sequence[tuple[int, _Processor]]) -> Sequence[Any]:
    values = list(row)
    for place, process in out:
        values[place] = process(values[place])
    return tuple(values)


def _processors(
    dialect: Dialect, types: Sequence[TypeEngine[Any]], description: Sequence[Sequence[Any]]
) -> list[tuple[int, _Processor]]:
    processors = [type_.result_processor(dialect, column[1]) for type_, column in zip(types, description, strict=True)]
    return [(place, process) for place, process in enumerate(processors) if process is not None]
