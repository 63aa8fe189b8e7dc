"""`insert-db shadow`: the verdicts of the model in shadow compared with those of the champion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from db.commands.options import Since
from db.commands.output import reading
from producer.terminal.counts import counted
from producer.terminal.options import Json
from producer.terminal.output import say, say_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def shadow(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(help="A model that was in shadow earlier. [default: the model in shadow now]", show_default=False),
    ] = None,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Compare the verdicts of the model in shadow with the line's verdicts and with people's reviews.

    Examples:

    - `insert-db shadow`
    - `insert-db shadow --since 1d --json`
    """
    with reading(context) as session:
        from db.line import shadow_verdicts as subject
        from db.queries.plain_values import plain
        from db.terminal import tables
        from producer.terminal.console import print_table

        name = _known(session, model) if model is not None else _in_shadow(session)
        report = subject.compare(session, name, since) if name is not None else None
        if as_json:
            say_json(plain(report))
        elif report is None:
            say("no model is in shadow")
        elif not report.compared:
            say(f"{name} has judged nothing alongside the line")
        else:
            say(
                f"{name} beside the line, {tables.text(report.first_at).plain} "
                f"to {tables.text(report.last_at).plain}: "
                f"{counted(report.compared, 'capture')}, {report.agreements} alike, {report.disagreements} not\n"
            )
            print_table(tables.pair_table(report.outcomes))
            say(f"\n{report.reviewed} of them were reviewed as intact or damaged")
            if report.reviewed:
                say()
                print_table(tables.tally_table({"line": report.line, "shadow": report.shadow}))


def _in_shadow(session: Session) -> str | None:
    from db.learning import model_registry

    model = model_registry.shadow(session)
    return model.model_id if model is not None else None


def _known(session: Session, name: str) -> str:
    from db.learning import model_registry

    if model_registry.find(session, name) is None:
        raise ValueError(f"there is no model {name!r}; `insert-db models` shows those there are")
    return name
