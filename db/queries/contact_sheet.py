"""The contact sheet of a head: the newest photograph of each pocket, and the model confirmed for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.learning import reviews
from db.learning.review_chances import drawn
from db.line import check_revisions, late_labels
from db.line.photographs import is_there
from db.line.rows import COLUMNS, VerdictRow, current_verdict
from db.schema.tables import Captures, Pockets, Verdicts
from producer.contract.vocabulary import Label, Outcome

LABEL_OF: Final[Mapping[str, Label]] = {"intact": "intact", "damaged": "damaged", "unusable": "unusable"}
"""The label that confirms an outcome; what is unsure says nothing that could be confirmed."""


@dataclass(frozen=True)
class Thumbnail(VerdictRow):
    """The newest photograph of a pocket.

    `review` is the label of its newest review. A `sample` is drawn for a look of its own: its verdict is not shown
    before, because it would influence the person.
    """

    review: str | None = None
    sample: bool = False

    @property
    def confirmable(self) -> bool:
        """Whether the model's word can be confirmed in bulk."""
        return self.review is None and not self.sample and self.image is not None and self.outcome in LABEL_OF


def sheet(session: Session, machine: str, head: str) -> list[Thumbnail]:
    """The newest photograph of each pocket of a head, by pocket; without those that are not judged yet."""
    query = (
        select(*COLUMNS, Captures.review, drawn(Verdicts.id).label("sample"))
        .select_from(Pockets)
        .join(Captures, Captures.capture_id == Pockets.capture_id)
        .join(Verdicts, current_verdict())
        .where(Pockets.machine == machine, Pockets.head == head)
        .order_by(Pockets.pocket)
    )
    return [Thumbnail(**row._mapping) for row in session.execute(query)]


def confirm(
    session: Session, machine: str, head: str, shown: Mapping[UUID, Outcome], *, by: str, at: datetime
) -> list[UUID]:
    """Label photographs of a head as the model says, in bulk; returns those that were labelled.

    `shown` are those that the person saw, with the outcome that was shown beside each. A capture is left alone if it
    has a review or another verdict by now, is drawn as a sample, is of another head, or has lost its photograph: the
    person has not confirmed it. So is one of a pocket that shows damage by what a person says of an earlier one.
    """
    check_revisions.of_captures(session, shown.keys())
    late = [label.pocket for label in late_labels.in_force(session, machine, head) if label.is_late]
    query = (
        select(Captures.capture_id, Captures.outcome, drawn(Verdicts.id))
        .join(Verdicts, current_verdict())
        .where(Captures.machine == machine, Captures.head == head)
        .where(Captures.capture_id.in_(list(shown)), Captures.review.is_(None), is_there())
        .where(Captures.pocket.not_in(late))
        # In the order in which captures take their pockets: two that write wait for each other in line.
        .order_by(Captures.machine, Captures.head, Captures.pocket, Captures.capture_id)
        .with_for_update(of=Captures)
    )
    labelled = []
    for capture_id, outcome, sample in session.execute(query).all():
        if not sample and outcome in LABEL_OF and shown[capture_id] == outcome:
            label = LABEL_OF[outcome]
            reviews.add(session, capture_id=capture_id, label=label, by=by, at=at, provenance="bulk")
            labelled.append(capture_id)
    return labelled
