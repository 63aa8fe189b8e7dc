"""A station's own good photographs: its next ones are compared with them to find faulty ones."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import bindparam, literal_column, or_, select, text
from sqlalchemy.orm import Session

from db.engine.prepared import Prepared
from db.line.rows import NEWEST_FIRST, current_verdict
from db.schema.index_conditions import FINDING
from db.schema.tables import Captures, Verdicts
from producer.contract.places import PocketPlace
from producer.contract.reasons.photographs import MOVED, SOFT
from producer.contract.vocabulary import JUDGED

OVERRULED: Final = 3
"""So many refused photographs in a row, of those that were reviewed, must show something after all: in a blurred one a
person can see the wear."""

_LOOKED_THROUGH: Final = 1_000
"""The newest reviews as unusable, of all stations."""


_NEWEST: Final = Prepared(
    lambda *_: (
        select(Verdicts.sketch)
        .join(Captures, current_verdict())
        .where(Captures.station == bindparam("station"), Captures.outcome.is_not(None), Verdicts.sketch.is_not(None))
        .where(or_(Captures.outcome != "unusable", Verdicts.reason.startswith(MOVED.beginning)))
        .where(or_(Captures.review.is_(None), Captures.review != "unusable"))
        .order_by(*NEWEST_FIRST)
        .limit(bindparam("most"))
    )
)
"""For a photograph of which the camera may have moved: of a station that is not quite still, one of every few."""


class Photographed(NamedTuple):
    """What was measured of a photograph (`worker.images.measurements`), and the insert that it shows."""

    sharpness: float
    brightness: float
    frame: int
    place: PocketPlace
    sketch: bytes | None = None


def good(session: Session, station: str, limit: int) -> list[Photographed]:
    """The measured ones among the newest `limit` photographs of a station that could be judged, newest first.

    A person has the last word. Photographs reviewed as `unusable` are not among them. Nor are those that were less
    sharp than the others, unless somebody has reviewed them: a focus that drifts would become usual. If `OVERRULED`
    photographs in a row were judged unusable and reviewed as something else, the history begins after them, because
    from then on the station's photographs look like that.
    """
    judged = (
        select(
            *(Verdicts.sharpness, Verdicts.brightness, Verdicts.frame, Verdicts.sketch),
            *(Captures.machine, Captures.head, Captures.pocket),
        )
        .join(Verdicts, current_verdict())
        .where(Captures.station == station, Captures.outcome.in_(JUDGED))
        .where(or_(Captures.review.is_(None), Captures.review != "unusable"))
        .where(
            or_(Captures.review.is_not(None), Verdicts.reason.is_(None), ~Verdicts.reason.startswith(SOFT.beginning))
        )
        .order_by(*NEWEST_FIRST)
        .limit(limit)
    )
    newest_refused = (
        select(Captures.ordered_at, Captures.capture_id, Captures.review)
        # As words, so that an engine sees that the index of findings will do.
        .where(Captures.station == station, Captures.outcome == literal_column("'unusable'"), text(FINDING))
        .order_by(*NEWEST_FIRST)
        .limit(limit)
        .subquery()
    )
    reviewed = (
        select(newest_refused.c.ordered_at, newest_refused.c.review != "unusable")
        .where(newest_refused.c.review.is_not(None))
        .order_by(newest_refused.c.ordered_at.desc(), newest_refused.c.capture_id.desc())
    )
    labels = session.execute(reviewed).all()
    runs = (labels[first : first + OVERRULED] for first in range(len(labels) - OVERRULED + 1))
    begins = next((run[0][0] for run in runs if all(overruled for _, overruled in run)), None)
    if begins is not None:
        judged = judged.where(Captures.ordered_at > begins)
    return [
        Photographed(sharpness, brightness, frame, PocketPlace(machine, head, pocket), sketch)
        for sharpness, brightness, frame, sketch, machine, head, pocket in session.execute(judged)
        if sharpness is not None and brightness is not None and frame is not None
    ]


def newest(session: Session, station: str, limit: int) -> list[bytes]:
    """The sketches of the newest `limit` judged photographs of a station, the oldest of them first.

    Of those that were unusable only those of a camera that has moved are among them: the others say nothing of it.
    """
    return [sketch for (sketch,) in _NEWEST.execute(session.connection(), station=station, most=limit)][::-1]


def unusable(session: Session, station: str, limit: int) -> list[bytes]:
    """The sketches of the newest photographs of a station that people reviewed as unusable, the newest first."""
    newest = (
        select(Captures.capture_id, Captures.station, Captures.ordered_at)
        # As words, so that an engine sees that the index of reviews will do.
        .where(Captures.review == "unusable", text("review <> 'intact'"))
        .order_by(*NEWEST_FIRST)
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    query = (
        select(Verdicts.sketch)
        .join(newest, newest.c.capture_id == Verdicts.capture_id)
        .where(newest.c.station == station, Verdicts.current, Verdicts.sketch.is_not(None))
        .order_by(newest.c.ordered_at.desc(), newest.c.capture_id.desc())
        .limit(limit)
    )
    return [sketch for sketch in session.scalars(query) if sketch is not None]
