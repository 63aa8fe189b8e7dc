"""The command `insert-db`: what the database knows, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from db.commands import backup as cli_backup
from db.commands import console as cli_console
from db.commands import faults, schema, tokens, users
from db.commands import insert_changes as cli_insert_changes
from db.commands import prune as cli_retention
from db.commands import reviews as cli_reviews
from db.commands import shadow as cli_shadow
from db.commands.options import (
    At,
    Head,
    Limit,
    Machine,
    OneHead,
    OneMachine,
    Operation,
    OutcomeOption,
    Pocket,
    Since,
    Station,
    Until,
)
from db.commands.output import answer, explained, print_json, print_table, reading
from producer.contract.vocabulary import State
from producer.terminal.counts import counted
from producer.terminal.entry_point import run
from producer.terminal.options import Data, Json
from producer.terminal.output import answer_stream, say

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown"
)

app.add_typer(faults.app, name="faults")
users.app.add_typer(tokens.app, name="token")
app.add_typer(users.app, name="users")
app.command()(cli_reviews.review)
app.command()(cli_reviews.reviews)
app.command()(cli_insert_changes.insert_changed)
app.command()(cli_shadow.shadow)


@app.callback(epilog="Begin with `insert-db checks` and `insert-db replace`; every command has `--help` with examples.")
def _root(
    context: typer.Context,
    data: Data = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Another database: sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME; a password "
            "is better kept in the environment or in a file. [INSERTS_DATABASE_URL, INSERTS_DATABASE_PASSWORD, "
            "INSERTS_DATABASE_PASSWORD_FILE]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """What the inspection line knows: verdicts, checks, inserts to replace, histories, reviews, faults and models."""
    options: dict[str, Any] = {} if data is None else {"data": data}
    if database is not None:
        options["database_url"] = database
    elif data is not None:
        options["database_url"] = None  # the folder that was named, not the environment's database
    context.obj = options  # for `settings_of`


@app.command()
def verdicts(
    context: typer.Context,
    machine: Machine = None,
    head: Head = None,
    pocket: Pocket = None,
    operation: Operation = None,
    outcome: OutcomeOption = None,
    station: Station = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """What was decided about each insert, newest first; imported photographs only with `--machine imported`.

    Examples:

    - `insert-db verdicts --outcome damaged --since 2h`
    - `insert-db verdicts --machine mill-1 --head head-7 --pocket 12`
    """
    with reading(context) as session:
        from db.commands import terminal_tables
        from db.line import verdicts as subject

        rows = subject.search(
            session,
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            outcome=outcome,
            station=station,
            since=since,
            until=until,
            limit=limit,
        )
        answer(rows, terminal_tables.verdict_table, as_json, "no verdict matches", limit)


@app.command()
def checks(
    context: typer.Context,
    machine: Machine = None,
    head: Head = None,
    station: Station = None,
    state: Annotated[State | None, typer.Option(help="Only checks with this result.", show_default=False)] = None,
    since: Since = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """The checks after each operation and their results: go, replace, review, or still pending.

    A person's label of a photograph (`insert-db review`) overrides its verdict.

    Examples:

    - `insert-db checks --machine mill-1 --since 1d`
    - `insert-db checks --state replace --json`
    """
    with reading(context) as session:
        from db.commands import terminal_tables
        from db.line import checks as subject

        rows = subject.recent(
            session,
            machine=machine,
            head=head,
            station=station,
            state=state,
            since=since,
            limit=limit,
        )
        answer(rows, terminal_tables.check_table, as_json, "no check matches", limit)


@app.command()
def replace(context: typer.Context, machine: Machine = None, head: Head = None, as_json: Json = False) -> None:
    """Which inserts to change now: the pockets whose newest photograph shows a damaged insert.

    Example: `insert-db replace --machine mill-1`
    """
    with reading(context) as session:
        from db.commands import terminal_tables
        from db.queries import maintenance

        rows = maintenance.to_replace(session, machine, head)
        answer(rows, terminal_tables.replace_table, as_json, "no insert needs to be changed")


@app.command()
def history(
    context: typer.Context,
    machine: OneMachine,
    head: OneHead,
    pocket: Annotated[int, typer.Argument(min=1, help="The pocket in the head.")],
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """The history of one pocket, newest first: every photograph, what was decided, what went wrong, and insert changes.

    Example: `insert-db history mill-1 head-7 12`
    """
    with reading(context) as session:
        from db.commands import terminal_tables
        from db.line import insert_changes
        from db.queries import maintenance

        rows = maintenance.history(session, machine, head, pocket, limit=limit)
        changes = insert_changes.of_pocket(session, machine, head, pocket)
        nothing = f"nothing is known of machine {machine}, head {head}, pocket {pocket}"
        answer(rows, lambda rows: terminal_tables.history_table(rows, changes), as_json, nothing, limit)


@app.command()
def models(context: typer.Context, at: At = None, limit: Limit = 20, as_json: Json = False) -> None:
    """The trained models, newest first, and which is in charge since when; or which one was at a moment.

    Examples:

    - `insert-db models`
    - `insert-db models --at 2026-11-17T14:05`
    """
    with reading(context) as session:
        from db.commands import terminal_tables
        from db.learning import model_registry as subject
        from db.queries.serialisation import plain

        champion = subject.champion(session, at)
        shadow = subject.shadow(session) if at is None else None
        promotions = [
            promotion for promotion in subject.promotions(session, limit=1000) if at is None or promotion.at <= at
        ]
        rows = subject.recent(session, limit) if at is None else [champion] if champion else []
        if as_json:
            print_json(
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
            print_table(terminal_tables.model_table(rows, promotions, champion, shadow))


@app.command()
def export(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.csv|-", help="Where to; - is stdout.", show_default=False)],
    machine: Machine = None,
    head: Head = None,
    pocket: Pocket = None,
    operation: Operation = None,
    outcome: OutcomeOption = None,
    station: Station = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """All verdicts that match, as CSV: any number of them, times in UTC.

    An existing file is replaced once the new one is complete. It is UTF-8 with a byte-order mark, which spreadsheets
    look for. With - the CSV has the environment's encoding, which may lack some characters, and no mark.
    `--json` prints the file and its number of rows.

    Examples:

    - `insert-db export november.csv --since 2026-11-01 --until 2026-12-01`
    - `insert-db export - --outcome damaged | head`
    """
    if file == "-" and as_json:
        raise typer.BadParameter("with - stdout holds the CSV, so there is no place for --json")
    with reading(context) as session:
        from db.line import verdicts as subject
        from db.queries.serialisation import write_csv, write_csv_file

        rows = subject.export(
            session,
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            outcome=outcome,
            station=station,
            since=since,
            until=until,
        )
        if file == "-":
            write_csv(rows, answer_stream())
            return
        count = write_csv_file(rows, Path(file))
        if as_json:
            print_json({"file": file, "rows": count})
        else:
            say(f"{counted(count, 'verdict')} in {file}")


app.command()(cli_console.console)
app.command()(cli_retention.prune)
app.command()(cli_backup.backup)
app.command()(cli_backup.restore)
app.command()(schema.upgrade)
app.command()(schema.downgrade)


def main() -> None:
    """Run `insert-db`; what a person can put right ends with its message, not with a traceback."""
    run(app, explained=explained, prefix="insert-db:")


if __name__ == "__main__":
    main()
