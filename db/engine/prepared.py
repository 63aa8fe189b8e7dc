"""Statements that every message needs: compiled once, and then only given their values.

SQLAlchemy's `execute` takes several times as long for such a statement as the database does, most of it for finding
what it has compiled before. Here that is looked up by how many values there are, and goes to the driver as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, bindparam
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
class _Made:
    """A statement as its driver reads it.

    `own` are its constants, `into` says how values go in, by name. How values come `out`, by column, is known from the
    first answer on, as it depends on what the driver calls their types.
    """

    text: str
    names: Sequence[str]
    positional: bool
    own: dict[str, Any]
    into: Mapping[str, _Processor]
    types: Sequence[TypeEngine[Any]]
    out: Sequence[_Processor | None] = ()


class Prepared:
    """A statement of SQLAlchemy's, prepared for each dialect and number of values when it is first needed."""

    def __init__(self, build: Callable[[str, int], Any]):
        """Nothing is prepared yet.

        Args:
            build: makes the statement for a dialect and a number of rows (see `inserted`). A list of values is one
                `bindparam` with `expanding`.
        """
        self._build = build
        self._made: dict[tuple[object, ...], _Made] = {}

    def execute(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]] = (), /, **values: Any
    ) -> list[tuple[Any, ...]]:
        """Execute it with rows to insert, or with values and lists of values; what comes back."""
        lists = {name: value for name, value in values.items() if isinstance(value, list)}
        key = (connection.dialect.name, len(rows), *map(len, lists.values()))
        prepared = self._made.get(key)
        parameters = {f"{name}_{number}": value for number, row in enumerate(rows, 1) for name, value in row.items()}
        if prepared is None:
            prepared = self._made[key] = self._make(connection.dialect, len(rows), parameters | values)
        parameters |= prepared.own
        parameters |= values
        for name, members in lists.items():
            parameters |= {f"{name}_{number}": value for number, value in enumerate(members, 1)}
        bound = [
            prepared.into[name](parameters[name]) if name in prepared.into else parameters[name]
            for name in prepared.names
        ]
        result = connection.exec_driver_sql(
            prepared.text, tuple(bound) if prepared.positional else dict(zip(prepared.names, bound, strict=True))
        )
        if not result.returns_rows:
            return []
        if not prepared.out:
            prepared.out = _processors(connection.dialect, prepared.types, result)
        return [tuple([out(value) if out else value for out, value in zip(prepared.out, row)]) for row in result]  # noqa: B905

    def _make(self, dialect: Dialect, rows: int, parameters: Mapping[str, Any]) -> _Made:
        statement = self._build(dialect.name, rows)
        compiled = statement.compile(dialect=dialect)
        state = compiled.construct_expanded_state(parameters)
        into = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        named = set(parameters)
        for name, expanded in state.parameter_expansion.items():
            into |= dict.fromkeys(expanded, into[name])
            named.update(expanded if name in parameters else ())
        return _Made(
            text=state.statement,
            names=list(state.positiontup or state.parameters),
            positional=state.positiontup is not None,
            own={name: value for name, value in state.parameters.items() if name not in named},
            into={name: process for name, process in into.items() if process is not None},
            types=[column.type.dialect_impl(dialect) for column in statement.exported_columns],
        )


def _processors(
    dialect: Dialect, types: Sequence[TypeEngine[Any]], result: CursorResult[Any]
) -> list[_Processor | None]:
    described: Any = result.cursor.description if result.cursor else ()
    return [type_.result_processor(dialect, column[1]) for type_, column in zip(types, described, strict=True)]
