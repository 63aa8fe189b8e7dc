"""`/pocket`: the life of one pocket as a strip of photographs, and a person who says that its insert was changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from db.console.access.guard import Fitter, Viewer
from db.console.context import console_of
from db.console.heads_now import heads_now
from db.console.numbers import Pocket, Row, Typed
from db.console.reader.texts import Text
from db.console.rendering import page
from db.engine import clock
from db.learning import remaining_lives
from db.line import checks, insert_changes, late_labels, verdicts
from db.line.insert_changes import InsertChange, NewerPhotograph
from db.line.insert_lives import PocketPhoto, insert_keys
from db.people import audited_insert_changes
from db.queries import pocket_history
from db.queries.pocket_history import PocketRow
from db.schema.tables import Pockets
from producer.contract.names import Name
from producer.contract.vocabulary import outcome_now

router = APIRouter()

SHOWN: Final = 60
"""How many photographs are on a page; older ones follow by the link at its end."""


@dataclass(frozen=True)
class LifePhotographs:
    """The photographs of one insert, the newest first, and what people said between it and the one before."""

    rows: Sequence[PocketRow]
    whole: bool
    """Whether its first photograph is among them."""
    begun: Sequence[InsertChange]


@router.get("/pocket")
def pocket(
    request: Request,
    machine: Typed,
    head: Typed,
    pocket: Pocket,
    person: Viewer,
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN,
    newer: bool = False,
) -> Response:
    """The page of one pocket, the newest photograph first; also of one that its head's checks always missed.

    `newer` says that a photograph has arrived that the person had not seen.
    """
    with console_of(request).database.reading() as session:
        rows = pocket_history.of_pocket(session, machine, head, pocket, limit=limit + 1)
        changes = insert_changes.of_pocket(session, machine, head, pocket)
        here = Pockets.machine == machine, Pockets.head == head, Pockets.pocket == pocket
        unseen = insert_changes.unseen(session, *here)
        fit = remaining_lives.fit_in_force(session)
        remaining = remaining_lives.search(session, machine, head, pocket)
        suspected = [change for change in remaining_lives.suspected(session, machine, head) if change.pocket == pocket]
        labels = [of for of in late_labels.in_force(session, machine, head) if of.pocket == pocket and of.is_late]
        late = pocket_history.of_capture(session, labels[0].capture_id) if labels else None
        seen = [row for row in (*rows, late) if row is not None]
        judged = verdicts.current_of(session.connection(), [row.capture_id for row in seen if row.image])
        missed = [] if rows else checks.recent(session, machine=machine, head=head, limit=1)
        [overview] = heads_now(console_of(request), session, [(machine, head)], clock.latest(session))
    if not rows and not any(pocket <= check.size for check in missed):
        raise HTTPException(
            404,
            Text(
                "nothing is known of machine %(machine)s, head %(head)s, pocket %(pocket)s",
                machine=machine,
                head=head,
                pocket=pocket,
            ),
        )
    more = len(rows) > limit
    lives = list(_lives(rows[:limit], changes, begun=not more))
    since = [change for change in changes if rows and change.at > rows[0].ordered_at]
    return page(
        request,
        "pocket.html",
        word=word,
        machine=machine,
        head=head,
        pocket=pocket,
        lives=lives,
        explained={capture_id for capture_id, verdict in judged.items() if verdict.evidence is not None},
        fit=fit,
        remaining=remaining[0] if remaining else None,
        suspected=suspected,
        since=since,
        changed=any(change in unseen for change in since),  # else damage has come that none of them was said of
        more=more,
        limit=limit,
        newer=newer,
        shows=overview.words.get(pocket),
        doubt=overview.doubts.get(pocket),
        late=late,
    )


@router.post("/pocket/changed")
def changed(
    request: Request,
    person: Fitter,
    machine: Annotated[Name, Form()],
    head: Annotated[Name, Form()],
    pocket: Annotated[Pocket, Form()],
    first: Annotated[UUID | None, Form()] = None,
    seen: Annotated[UUID | None, Form()] = None,
) -> Response:
    """Note that the insert was changed: now, or before its `first` photograph.

    `seen` is the newest photograph that the page showed. If there is a newer one, nothing is changed and the page
    reloads: the newer one may show the insert that was put in, with damage on it.
    """
    now = datetime.now(UTC)
    try:
        with console_of(request).database.transaction() as session:
            change, _ = audited_insert_changes.record(
                session, machine, head, pocket, by=person.name, at=now, first=first, seen=seen
            )
    except NewerPhotograph:
        return _back(machine, head, pocket, newer="true")
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    return _back(change.machine, change.head, change.pocket)


@router.post("/pocket/changed/withdraw")
def withdraw(request: Request, person: Fitter, change: Annotated[Row, Form()]) -> Response:
    """Take back that an insert was changed."""
    now = datetime.now(UTC)
    try:
        with console_of(request).database.transaction() as session:
            gone = audited_insert_changes.withdraw(session, change, by=person.name, at=now)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    return _back(gone.machine, gone.head, gone.pocket)


def _back(machine: str, head: str, pocket: int, **telling: str) -> Response:
    place = {"machine": machine, "head": head, "pocket": pocket}
    return RedirectResponse(f"/pocket?{urlencode(place | telling)}", 303)


def word(row: PocketRow) -> str:
    """What a photograph shows: the newest review's outcome, else the verdict's, else a fault, else that it waits."""
    return outcome_now(row.review, row.outcome) or ("fault" if row.fault else "pending")


def _lives(rows: Sequence[PocketRow], changes: Sequence[InsertChange], *, begun: bool) -> Iterator[LifePhotographs]:
    """The rows by the insert that they show, the newest first; `begun`: the pocket's first photograph is among them."""
    photos = map(PocketPhoto.of, reversed(rows))
    key_of = dict(insert_keys(photos))
    by_insert = [list(of) for _, of in groupby(rows, lambda row: key_of[row.capture_id])]
    for number, of_insert in enumerate(by_insert, 1):
        before = by_insert[number][0].ordered_at if number < len(by_insert) else None
        changes_between = [change for change in changes if before and before < change.at <= of_insert[-1].ordered_at]
        yield LifePhotographs(of_insert, begun or before is not None, changes_between)
