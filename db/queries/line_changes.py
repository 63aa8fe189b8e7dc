"""What has changed on the line since the last look: cheap enough to ask every half second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.queries.line_status import faults_query
from db.schema.tables import Captures, InsertChanges, Pockets, Reviews, Verdicts
from producer.contract.names import IMPORTED

Place = tuple[str, str]
"""A machine and a head."""

_NEWEST_CHANGES: Final = (
    select(InsertChanges.id, InsertChanges.machine, InsertChanges.head).order_by(InsertChanges.id.desc()).limit(50)
)
"""Not only how far they have come: one that was taken back is there no longer."""


@dataclass(frozen=True)
class Marks:
    """How far the line had come at one look.

    `heads` is the newest photograph of each head, `faults` how many are open by reason. `judged` are the heads of
    which a verdict or a review came since the look before. `changed` are the newest insert changes by number, each
    with its head.
    """

    heads: Mapping[Place, datetime]
    verdict: int
    review: int
    faults: Mapping[str, int]
    judged: frozenset[Place]
    changed: Mapping[int, Place]


def marks(session: Session, since: Marks | None) -> Marks:
    """How far the line is now; `since` is the look before."""
    newest = select(Pockets.machine, Pockets.head, func.max(Pockets.ordered_at)).where(Pockets.machine != IMPORTED)
    verdict = session.scalar(select(func.max(Verdicts.id))) or 0
    review = session.scalar(select(func.max(Reviews.id))) or 0
    judged: set[Place] = set()
    for table, last, now in (
        (Verdicts, since.verdict if since else verdict, verdict),
        (Reviews, since.review if since else review, review),
    ):
        if last < now:
            heads = select(Captures.machine, Captures.head).join(table, table.capture_id == Captures.capture_id)
            judged.update((machine, head) for machine, head in session.execute(heads.where(table.id > last).distinct()))
    return Marks(
        heads={
            (machine, head): at for machine, head, at in session.execute(newest.group_by(Pockets.machine, Pockets.head))
        },
        verdict=verdict,
        review=review,
        faults=dict(session.execute(faults_query()).all()),
        judged=frozenset(judged),
        changed={number: (machine, head) for number, machine, head in session.execute(_NEWEST_CHANGES)},
    )
