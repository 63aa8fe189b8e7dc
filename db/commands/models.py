"""`insert-db models`: which models there are, and which one judges."""

from __future__ import annotations

import typer

from db.commands.options import At
from db.commands.output import reading
from producer.terminal.options import Json, Limit
from producer.terminal.output import say, say_json


def models(context: typer.Context, at: At = None, limit: Limit = 20, as_json: Json = False) -> None:
    """List the models, newest first, and which is in charge since when; with `--at`, which one was at that moment.

    Examples:

    - `insert-db models`
    - `insert-db models --at 2026-11-17T14:05`
    """
    with reading(context) as session:
        from db.learning import model_registry as subject
        from db.queries.plain_values import plain
        from db.terminal import tables
        from producer.terminal.console import print_table

        champion = subject.champion(session, at)
        shadow = subject.shadow(session) if at is None else None
        promotions = [
            promotion for promotion in subject.promotions(session, limit=1000) if at is None or promotion.at <= at
        ]
        rows = subject.recent(session, limit) if at is None else [champion] if champion else []
        if as_json:
            say_json(
                {
                    "champion": champion.model_id if champion else None,
                    "shadow": shadow.model_id if shadow else None,
                    "models": plain(rows),
                    "promotions": plain(promotions),
                }
            )
        elif not rows and at is not None:
            say("no model was in charge then: every verdict was 'unsure'")
        elif not rows:
            say("no model yet: every verdict is 'unsure' until one is trained")
        else:
            print_table(tables.model_table(rows, promotions, champion, shadow))
