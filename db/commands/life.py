"""`insert-db life`: how long the inserts that are in use last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from db.commands.options import Head, Machine
from db.commands.output import reading, settings_of
from producer.terminal.counts import counted
from producer.terminal.options import LARGEST, Json
from producer.terminal.output import say, say_json
from producer.terminal.programs import copyable

if TYPE_CHECKING:
    from db.learning.remaining_lives import LifeFit, RemainingLife
    from db.line.insert_histories import SuspectedChange


def life(
    context: typer.Context,
    machine: Machine = None,
    head: Head = None,
    shift: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=LARGEST,
            metavar="OPERATIONS",
            help="Only the inserts that will not last a shift of so many operations, and what changing them costs.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """How many operations the inserts that are in use last: the median and the interval in which 80 % of them end.

    It is fitted by learning to the lives of the inserts before, from one change to the next. Until ten lives have ended
    it says nothing. It also asks about inserts that seem to have been changed without anybody saying so.

    With --shift: an insert is listed when it is damaged within the shift with a chance of 10 % or more. What changing
    costs now, and leaving it in, is in planned changes: INSERTS_PLANNED_CHANGE, INSERTS_DAMAGED_CHANGE.

    Examples:

    - `insert-db life --machine mill-1 --head head-7`
    - `insert-db life --shift 8`
    """
    with reading(context) as session:
        from db.learning import remaining_lives
        from db.learning.change_cost import ChangeCosts
        from db.queries import known_places

        settings = settings_of(context)
        costs = ChangeCosts(settings.planned_change, settings.damaged_change)
        fit = remaining_lives.fit_in_force(session)
        lives = remaining_lives.search(session, machine, head)
        suspected = remaining_lives.suspected(session, machine, head)
        if not lives and not suspected:
            known_places.refuse_unknown(session, machine, head)
        if shift is not None:
            lives = remaining_lives.not_lasting(lives, shift)
        if as_json:
            say_json(_plain(fit, lives, suspected, shift, costs))
            return
        _show(fit, lives, suspected, shift, costs)


def _plain(
    fit: LifeFit | None, lives: list[RemainingLife], suspected: list[SuspectedChange], shift: int | None, costs: Any
) -> dict[str, Any]:
    from db.queries.plain_values import plain
    from db.queries.shift_risk import shift_risk

    rows = (vars(shift_risk(insert, shift, costs)) for insert in lives)
    remaining = [{name: value for name, value in row.items() if value is not None} for row in rows]
    of_fit = None
    if fit is not None:
        of_fit = {name: getattr(fit, name) for name in ("at", "followed", "ended", "needed", "missing", "gap")}
    return plain({"fit": of_fit, "remaining": remaining, "suspected": suspected})  # type: ignore[no-any-return]


def _show(
    fit: LifeFit | None, lives: list[RemainingLife], suspected: list[SuspectedChange], shift: int | None, costs: Any
) -> None:
    from db.terminal import life_tables
    from producer.terminal.console import print_table

    if fit is None:
        say(copyable("no life was followed yet: `insert-worker standalone`, or `learn` and `beat`, do so"))
    elif fit.missing:
        followed, verb = counted(fit.followed, "life", "lives"), "is" if fit.missing == 1 else "are"
        say(
            f"nothing is said before {fit.needed} lives have ended: {fit.ended} of {followed} have, "
            f"{fit.missing} {verb} missing"
        )
    elif not lives:
        say(
            "no insert in use is to be answered for"
            if shift is None
            else "every insert that is answered for lasts that shift"
        )
    elif shift is None:
        print_table(life_tables.life_table(lives))
    else:
        print_table(life_tables.shift_table(lives, shift, costs))
    for change in suspected:
        say(copyable(life_tables.question(change)))
