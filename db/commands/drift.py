"""`insert-db drift`: whose photographs have come to be unlike what is usual at their station."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from db.commands.options import Station
from db.commands.output import reading, writing
from db.terminal.person import By, login, who
from producer.terminal.counts import counted
from producer.terminal.exit_codes import NO
from producer.terminal.options import Json
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable


def drift(
    context: typer.Context,
    station: Station = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days to look back.")] = 14,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Accept the new look of --station, after a change of light or lens."),
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Show how each station's days differ from its reference days, and which stations drift.

    After each day, features, score, brightness and sharpness are compared with the reference days. A station drifts if
    the same one of these is unusual on two days in a row.

    Exit codes: 0: no station drifts. 1: a station drifts. 2: the line has no such station.

    Examples:

    - `insert-db drift`
    - `insert-db drift --station st-1 --days 30 --json`
    - `insert-db drift --station st-1 --accept`
    """
    if accept:
        if station is None:
            raise typer.BadParameter("--accept needs the --station whose photographs are as they should be")
        _accept(context, station, by or login(), as_json)
        return
    with reading(context) as session:
        from db.line import station_days
        from db.queries import known_places
        from db.queries.plain_values import plain
        from db.terminal.drift_table import station_day_table
        from producer.terminal.console import print_table

        today = datetime.now(UTC).date()
        rows = station_days.recent(session, today - timedelta(days=days), station)
        drifts = [one for one in station_days.drifting(session, today) if station in (None, one.station)]
        if not rows:
            known_places.refuse_unknown(session, station=station)
    if as_json:
        say_json(plain({"drifting": drifts, "days": rows}))
    elif not rows:
        say(copyable("no day was measured yet: `insert-worker learn` does so once a day has ended"))
    else:
        print_table(station_day_table(rows))
        for one in drifts:
            say(
                f"\nstation {one.station} drifts since {one.since.isoformat()} ({counted(one.days, 'day')}) by "
                f"{', '.join(one.aspects)}; look at its lamp, lens and camera, and at these photographs:"
            )
            for capture in one.farthest:
                say(f"  {capture}")
    if drifts:
        raise typer.Exit(NO)


def _accept(context: typer.Context, station: str, by: str, as_json: bool) -> None:
    with writing(context) as session:
        from db.people import audited_drift

        try:
            days = audited_drift.accept(session, station, by=by, at=datetime.now(UTC), signed=who())
        except LookupError as error:
            raise ValueError(str(error)) from error
    if as_json:
        say_json({"station": station, "days": days})
    else:
        say(f"{counted(days, 'day')} of station {station} no longer count; new reference days are collected")
