"""`insert-db life`: how long the inserts in use last."""

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
            help="Only inserts that will not last a shift of this many operations, and what changing them costs.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict how many more operations the inserts in use last: the median, and an interval that holds 80 % of them.

    The prediction is fitted to the lives of earlier inserts, from one change to the next. It needs ten lives that have
    ended. The command also asks about inserts that were probably changed without a record.

    With `--shift`, it lists the inserts that will be damaged within the shift with a probability of 10 % or more. The
    costs of changing an insert now and of leaving it in are given in planned changes: INSERTS_PLANNED_CHANGE and
    INSERTS_DAMAGED_CHANGE.

    Exit code 2: the line has no such machine or head.

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
            "there is no prediction for any insert in use"
            if shift is None
            else "every insert with a prediction lasts that shift"
        )
    elif shift is None:
        print_table(life_tables.life_table(lives))
    else:
        print_table(life_tables.shift_table(lives, shift, costs))
    for change in suspected:
        say(copyable(life_tables.question(change)))
