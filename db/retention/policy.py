"""What is old enough to be deleted, and what is kept however old it is.

Photographs are deleted capture by capture, and their rows are kept: every question about what was decided is still
answered. Rows are deleted by whole checks (one that lost some of its captures would be pending for ever), with the
verdicts, shadow verdicts and settled faults of their captures.

What is kept: whatever a person has reviewed (so all that a snapshot of the labelled set names), what has no verdict
yet, the newest capture of each pocket, and what has a fault that is open or is to be tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from db.learning import model_registry
from db.line.photographs import LONGEST_KEY, MARK, is_marked, is_there
from db.retention.days_kept import DAYS_OF_FAULTS, DAYS_OF_IMAGES, DAYS_OF_SHADOWS, DAYS_OF_VERDICTS
from db.schema.column_words import SETTLED_FAULTS, UNSETTLED_FAULTS
from db.schema.tables import Captures, Checks, Faults, Pockets, ShadowVerdicts, Verdicts
from producer.contract.vocabulary import OUTCOMES

LONG_IDLE: Final = 30
"""So many days without a photograph, and the clock may be wrong that says what is old."""

SAMPLE: Final = 100
"""How many photographs are looked at to know about how large they are."""


@dataclass(frozen=True)
class Policy:
    """Before which moment things may be deleted: captures (by their arrival) for `images` and `verdicts` by outcome,
    shadow verdicts, and faults that are closed or dismissed. What is not named, or None, is kept."""

    images: Mapping[str, datetime]
    verdicts: Mapping[str, datetime]
    shadow: datetime | None = None
    faults: datetime | None = None


@dataclass(frozen=True)
class Extent:
    """How much would be deleted. `images` are counted by outcome; `spared` are photographs that are old and are kept.

    `captures` and `verdicts` are the rows of those `checks`, `sample` is some keys of those photographs.
    """

    images: Mapping[str, int]
    spared: int
    checks: int
    captures: int
    verdicts: int
    shadow: int
    faults: int
    sample: tuple[str, ...] = ()


def default_policy(now: datetime) -> Policy:
    """How long things are kept where no option says otherwise."""
    return Policy(
        images={outcome: now - timedelta(days=days) for outcome, days in DAYS_OF_IMAGES.items()},
        verdicts=dict.fromkeys(OUTCOMES, now - timedelta(days=DAYS_OF_VERDICTS)),
        shadow=now - timedelta(days=DAYS_OF_SHADOWS),
        faults=now - timedelta(days=DAYS_OF_FAULTS),
    )


def days_idle(session: Session, now: datetime) -> int:
    """For how many days nothing was photographed, by the clock that says `now`; 0 where nothing ever was."""
    newest = session.scalar(select(func.max(Captures.ordered_at)))
    return 0 if newest is None else max(0, (now - newest).days)


def needed(capture: Any = Captures) -> ColumnElement[bool]:
    """Captures that are kept, photograph and row, however old they are; each item of a snapshot has a review."""
    place = [getattr(Pockets, name) == getattr(capture, name) for name in ("machine", "head", "pocket", "capture_id")]
    unsettled = (Faults.capture_id == capture.capture_id) & Faults.state.in_(UNSETTLED_FAULTS)
    return or_(
        capture.review.is_not(None),
        capture.outcome.is_(None),
        exists().where(*place),
        exists().where(unsettled),
        func.length(capture.image) > LONGEST_KEY,
    )


def old(limits: Mapping[str, datetime], capture: Any = Captures) -> ColumnElement[bool]:
    """Captures that are older than their outcome's limit.

    Age counts from arrival, so that no station's clock makes them go early, or never. They are ordered no later than
    that, which lets an index find those to look at.
    """
    ages = [
        and_(capture.outcome == outcome, capture.ordered_at < limit, capture.received_at < limit)
        for outcome, limit in limits.items()
    ]
    return or_(false(), *ages)


def image_may_go(limits: Mapping[str, datetime]) -> ColumnElement[bool]:
    """Captures whose photograph may go.

    One photograph may show several inserts of a check, each in a region of its own: it goes when all of them may.
    """
    other = aliased(Captures)
    shared = exists().where(
        other.check_id == Captures.check_id,
        other.image == Captures.image,
        or_(needed(other), ~old(limits, other)),
    )
    return and_(old(limits), is_there(), ~needed(), ~shared)


def image_is_going() -> ColumnElement[bool]:
    """Captures whose photograph was being removed when that was broken off."""
    return is_marked() & (Captures.image != MARK)


def check_may_go(limits: Mapping[str, datetime]) -> ColumnElement[bool]:
    """Checks all of whose captures may go, and that wait for nothing."""
    capture = aliased(Captures)
    stays = exists().where(capture.check_id == Checks.check_id, or_(needed(capture), ~old(limits, capture)))
    unsettled = exists().where(Faults.check_id == Checks.check_id, Faults.state.in_(UNSETTLED_FAULTS))
    youngest = max(limits.values(), default=None)
    # The moment alone lets an index find those to look at.
    begun = Checks.started_at < youngest if youngest is not None else false()
    return and_(begun, ~stays, ~unsettled)


def shadow_may_go(session: Session, limit: datetime) -> ColumnElement[bool]:
    """What models in shadow said before a moment; that of the one that is in shadow now stays."""
    present = model_registry.shadow(session)
    before = ShadowVerdicts.judged_at < limit
    return before if present is None else before & (ShadowVerdicts.model_id != present.model_id)


def fault_may_go(limit: datetime) -> ColumnElement[bool]:
    """Settled faults that came last before a moment.

    A dismissed one goes with its check: it is all that says that one of the check's pockets was not seen.
    """
    speaks = (Faults.state == "dismissed") & exists().where(Checks.check_id == Faults.check_id)
    return Faults.state.in_(SETTLED_FAULTS) & (Faults.last_at < limit) & ~speaks


def extent(session: Session, policy: Policy) -> Extent:
    """How much a policy would delete now; reads all that is old."""
    leaving = select(Checks.check_id).where(check_may_go(policy.verdicts))
    of_leaving = Captures.check_id.in_(leaving)
    going = or_(image_is_going(), image_may_go(policy.images), of_leaving & is_there())
    by_outcome = session.execute(
        select(Captures.outcome, func.count()).where(going).group_by(Captures.outcome).order_by(Captures.outcome)
    )
    images = {cast(str, outcome): count for outcome, count in by_outcome}
    keys = session.scalars(select(Captures.image).where(going).limit(SAMPLE)).all()

    def count(table: Any, *conditions: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0

    aged = count(Captures, old(policy.images), is_there())
    unspared = count(Captures, old(policy.images), is_there(), going)
    return Extent(
        images=images,
        spared=aged - unspared,
        checks=count(Checks, check_may_go(policy.verdicts)),
        captures=count(Captures, of_leaving),
        verdicts=count(Verdicts, Verdicts.capture_id.in_(select(Captures.capture_id).where(of_leaving))),
        shadow=count(ShadowVerdicts, shadow_may_go(session, policy.shadow)) if policy.shadow else 0,
        faults=count(Faults, fault_may_go(policy.faults)) if policy.faults else 0,
        sample=tuple(key.removeprefix(MARK) for key in keys),
    )


def newest_keys(session: Session, limit: int = 20) -> list[str]:
    """Keys of the newest photographs of some pockets, which no policy deletes: where they are missing, the image store
    is another one."""
    query = (
        select(Captures.image)
        .join(Pockets, Pockets.capture_id == Captures.capture_id)
        .where(is_there(), Captures.outcome.is_not(None))
        .order_by(Pockets.ordered_at.desc())
        .limit(limit)
    )
    return list(session.scalars(query))
