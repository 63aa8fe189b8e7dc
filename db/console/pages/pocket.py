"""`/pocket`: the life of one pocket as a strip of photographs, and where its insert was changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.numbers import Pocket
from db.console.reader.texts import Text
from db.console.rendering import page
from db.line.insert_lives import PocketPhoto, insert_keys
from db.queries import maintenance
from db.queries.maintenance import PocketRow
from producer.contract.vocabulary import OUTCOME_OF

router = APIRouter()

SHOWN: Final = 60
"""So many photographs are on a page; older ones follow by the link at its end."""


@dataclass(frozen=True)
class Life:
    """The photographs of one insert, the newest first."""

    rows: Sequence[PocketRow]
    whole: bool
    """Whether its first photograph is among them."""


@router.get("/pocket")
def pocket(
    request: Request,
    machine: str,
    head: str,
    pocket: Pocket,
    person: Viewer,
    limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN,
) -> Response:
    """The page of one pocket, the newest photograph first."""
    with console_of(request).database.reading() as session:
        rows = maintenance.history(session, machine, head, pocket, limit=limit + 1)
    if not rows:
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
    lives = list(_lives(rows[:limit], begun=not more))
    return page(
        request,
        "pocket.html",
        word=word,
        machine=machine,
        head=head,
        pocket=pocket,
        lives=lives,
        more=more,
        limit=limit,
    )


def word(row: PocketRow) -> str:
    """What a photograph shows: the newest review's outcome, else the verdict's, else a fault, else that it waits."""
    if row.review is not None:
        return OUTCOME_OF[row.review]
    return row.outcome or ("fault" if row.fault else "pending")


def _lives(rows: Sequence[PocketRow], *, begun: bool) -> Iterator[Life]:
    """The rows by the insert that they show, the newest first; `begun`: the pocket's first photograph is among them."""
    photos = (
        PocketPhoto(
            capture_id=row.capture_id,
            machine=row.machine,
            head=row.head,
            pocket=row.pocket,
            insert_designation=row.insert_designation,
            edge=row.edge,
            operations_on_edge=row.operations_on_edge,
            outcome=OUTCOME_OF[row.review] if row.review else row.outcome,
        )
        for row in reversed(rows)
    )
    key_of = dict(insert_keys(photos))
    by_insert = [list(of) for _, of in groupby(rows, lambda row: key_of[row.capture_id])]
    for number, of_insert in enumerate(by_insert, 1):
        yield Life(of_insert, whole=begun or number < len(by_insert))
