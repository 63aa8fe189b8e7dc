"""`insert-db review` and `reviews`: people label the photographs from which the system learns most."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from db.commands.options import Since
from db.commands.output import answer, opened, reading, settings_of
from db.terminal.person import By, login, who
from producer.contract.vocabulary import LABELS, Label
from producer.terminal.counts import counted
from producer.terminal.options import LARGEST, Json, Limit
from producer.terminal.output import say, say_json
from producer.terminal.redaction import discreet

if TYPE_CHECKING:
    from db.engine.database import Database
    from db.learning.reviews import Review
    from db.queries.review_queue import ToReview

KEYS = {label[0]: label for label in LABELS} | {label: label for label in LABELS}
"""What is typed for each label: its first letter, or all of it."""

HELP = " · ".join(f"{label[0]} {label}" for label in LABELS) + " · s skip · q quit; words after it are a note"

PUT_OFF = "a sample is only put off: it comes again at the end, and next time; what nobody can tell is unusable"


def review(
    context: typer.Context,
    capture: Annotated[UUID | None, typer.Option(help="Label this capture, without questions.")] = None,
    label: Annotated[Label | None, typer.Option(help="With --capture: the label.", show_default=False)] = None,
    note: Annotated[str | None, typer.Option(help="With --capture: a note.", show_default=False)] = None,
    by: By = None,
    only_list: Annotated[bool, typer.Option("--list", help="List the photographs, without questions.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST, help="At most this many, the most informative.")] = 50,
    as_json: Json = False,
) -> None:
    """Label photographs, the most informative first. The system learns from the labels.

    The order is: unsure photographs, photographs near a model's threshold, photographs whose review disagrees with the
    verdict (a second look settles it), and a small sample of the others.

    Type the first letter of a label, and a note after it if you like: `w crater on the rake face`. The latest review of
    a capture counts. What has no photograph can only be unusable.

    Examples:

    - `insert-db review`
    - `insert-db review --list --json`
    - `insert-db review --capture 0192f0c4-… --label worn --note "crater on the rake face"`
    """
    if (capture is None) != (label is None) or (note is not None and capture is None):
        raise typer.BadParameter("--capture and --label go together, --note with them")
    if capture is not None and only_list:
        raise typer.BadParameter("--list only lists, so it does not go with --capture")
    with opened(context, reads_only=only_list or (as_json and capture is None)) as database:
        if capture is not None and label is not None:
            _label_capture(database, capture, label, by or login(), note, as_json)
            return
        from db.queries import review_queue
        from db.terminal import tables

        with database.reading() as session:
            queue = review_queue.queue(session, limit)
        if only_list or as_json or not queue:
            answer(queue, tables.queue_table, as_json, "nothing to look at")
        else:
            _walk(database, queue, by or login(), settings_of(context).images_root)


def reviews(
    context: typer.Context,
    capture: Annotated[UUID | None, typer.Option(help="Only reviews of this capture.", show_default=False)] = None,
    by: Annotated[str | None, typer.Option(help="Only reviews by this person.", show_default=False)] = None,
    since: Since = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the reviews, newest first. The newest review of a capture counts.

    Example: `insert-db reviews --by ana --since 1d`
    """
    with reading(context) as session:
        from db.learning import reviews as subject
        from db.terminal import tables

        rows = subject.recent(session, capture_id=capture, by=by, since=since, limit=limit)
        answer(rows, tables.review_table, as_json, "no review", limit)


def _label_capture(database: Database, capture: UUID, label: str, by: str, note: str | None, as_json: bool) -> None:
    from db.queries.plain_values import plain

    try:
        kept = _say(database, capture, label, by, note)
    except LookupError as error:
        raise ValueError(str(error)) from error
    if as_json:
        say_json(plain(kept))
    else:
        say(f"capture {kept.capture_id} is {kept.label}, says {kept.by}")


def _say(database: Database, capture: UUID, label: str, by: str, note: str | None) -> Review:
    from db.learning import reviews as subject
    from db.people import audit

    now = datetime.now(UTC)
    with database.transaction() as session:
        kept = subject.add(session, capture_id=capture, label=label, by=by, at=now, note=note)
        # Anybody may be named with --by: the audit has who was at the terminal.
        audit.write(session, at=now, by=kept.by, signed=who(), action="reviewed", subject=str(capture), label=label)
    return kept


def _walk(database: Database, queue: list[ToReview], by: str, images: str) -> None:
    """Show one capture after the other and keep what is said; each at once, so that a later Ctrl-C loses none.

    A sample that is skipped comes again at the end: a sample without the hard cases would not be a random one.
    """
    from db.learning.reviews import NobodySaw

    count, waiting = 0, deque(queue)
    say(HELP)
    while waiting:
        number, item = len(queue) - len(waiting) + 1, waiting.popleft()
        say("\n  ".join([f"\n{number} of {len(queue)}", *_description(item, images)]))
        typed = _typed()
        if typed is None:
            break
        label, note = typed
        if label is not None:
            try:
                _say(database, item.row.capture_id, label, by, note)
                count += 1
            except NobodySaw as error:
                waiting.appendleft(item)
                say(str(error))
        elif item.why == "a sample":
            waiting.append(item)
            say(PUT_OFF)
    say(f"\n{counted(count, 'review')} by {by}")


def _typed() -> tuple[str | None, str | None] | None:
    """What is typed: a label and a note, no label to skip; None to quit, as at the input's end."""
    while True:
        say("> ", end="")
        line = sys.stdin.readline()
        key, _, note = line.strip().partition(" ")
        if not line or key.lower() == "q":
            return None
        if key.lower() == "s":
            return None, None
        if key.lower() in KEYS:
            return KEYS[key.lower()], note or None
        say(HELP)


def _description(item: ToReview, images: str) -> Iterator[str]:
    """What a person should know before looking at the photograph; nothing in it reaches the terminal as a command."""
    from db.line.photographs import REMOVED
    from db.terminal import tables

    row = item.row
    shown: dict[str, tables.Shown] = {
        "why": item.why,
        "seen": f"machine {row.machine}, head {row.head}, pocket {row.pocket}, after {row.operation}",
        "captured": row.captured_at,
        "insert": row.insert_designation,
        "edge": row.edge,
        "on edge": row.operations_on_edge,
        "verdict": row.outcome,
        "label": row.label,
        "reason": row.reason,
        "decision": row.decision,
        "damage": None if row.probability is None else f"{row.probability:.1%} probable",
        "model": row.model_id,
        "reviewed": f"{item.review.label} by {item.review.by}" if item.review else None,
        "note": item.review.note if item.review else None,
        "image": REMOVED if row.image is None else f"{discreet(images).rstrip('/')}/{row.image}",
        "capture": str(row.capture_id),
    }
    for name, value in shown.items():
        if value is not None:
            yield f"{name:<9} {tables.text(value).plain}"
