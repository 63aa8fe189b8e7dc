"""Deletes what the retention policy allows, in short transactions, while the line goes on working.

After each step it leaves the database to the line for as long as the step took. What a step may delete is found by
reading, and checked once more inside the transaction that locks the rows.

The order for a photograph is: its row is marked (committed), the file is removed, the row forgets the key. A row that
claims to have a photograph has one, wherever the process is killed; what was marked and not finished is found by its
mark and finished by the next run. The other way round (file first), a capture could be reviewed, and so be needed,
after its photograph was gone; and a row that forgot its key at once would leave a file that no row names. Rows are
deleted last, when their photographs are gone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, delete, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from db.engine.database import Database
from db.line import photographs
from db.line.photographs import MARK
from db.retention import policy as retention
from db.retention.image_removal import Images, ImagesMissing
from db.retention.policy import Policy
from db.schema.tables import Captures, CapturesAhead, Checks, Faults, ShadowVerdicts, UtcDateTime, Verdicts

CAPTURES_AT_ONCE: Final = 500
CHECKS_AT_ONCE: Final = 5

OnDeleted = Callable[[str, int], None]
"""Called with what was deleted (`images`, `checks`, `captures`, `shadow`, `faults`) and how many more of it."""


class Pruning:
    """One run over a database and its image store.

    `gone` counts, also the images that were `missing` already; `refused` has the keys that could not be followed
    safely: what they lead to is left alone.
    """

    def __init__(self, database: Database, images: Images, policy: Policy, progress: OnDeleted = lambda *_: None):
        self._database = database
        self._images = images
        self._policy = policy
        self._progress = progress
        self.gone: Counter[str] = Counter()
        self.refused: list[str] = []

    def run(self) -> None:
        """Delete all that the policy allows; may be killed at any moment and run again.

        Raises:
            ImagesMissing: the newest photographs are not below the store's root, so it is the wrong one.
            OSError: the image store cannot be changed.
            DatabaseUnavailable: the database is away.
        """
        self._check_store()
        for outcome in self._policy.images:
            for capture_ids in self._old_images(outcome):
                self._remove_images(retention.image_may_go(self._policy.images), capture_ids)
        for check_ids in self._old_checks():
            self._remove_checks(check_ids)
        if self._policy.shadow is not None:
            self._remove_shadows(self._policy.shadow)
        if self._policy.faults is not None:
            self._remove_faults(self._policy.faults)

    def _check_store(self) -> None:
        with self._database.reading() as session:
            keys = retention.newest_keys(session)
        if keys and all(self._images.size(key) is None for key in keys):
            raise ImagesMissing(
                f"none of the {len(keys)} newest photographs is below {self._images.root}: say in INSERTS_IMAGES (or "
                "with --data) where they are; nothing was removed"
            )

    @contextmanager
    def _step(self, *, synced: bool = True) -> Iterator[Session]:
        """A transaction, and then as long a pause: the line gets at least half of the database's time."""
        begun = time.monotonic()
        with self._database.transaction(synced=synced) as session:
            yield session
        time.sleep(time.monotonic() - begun)

    def _tell(self, what: str, count: int) -> None:
        if count:
            self.gone[what] += count
            self._progress(what, count)

    def _old_images(self, outcome: str) -> Iterator[list[UUID]]:
        """Ids of captures of an outcome whose photographs may go or are going, oldest first."""
        moment = (Captures.ordered_at, Captures.capture_id)
        query = (
            select(*moment)
            .where(Captures.outcome == outcome, Captures.ordered_at < self._policy.images[outcome])
            .where(or_(retention.image_is_going(), retention.image_may_go(self._policy.images)))
            .order_by(*moment)
            .limit(CAPTURES_AT_ONCE)
        )
        for rows in self._pages(query, moment, (UtcDateTime(), Uuid())):
            yield [capture_id for _, capture_id in rows]

    def _old_checks(self) -> Iterator[list[UUID]]:
        moment = (Checks.started_at, Checks.check_id)
        query = (
            select(*moment).where(retention.check_may_go(self._policy.verdicts)).order_by(*moment).limit(CHECKS_AT_ONCE)
        )
        for rows in self._pages(query, moment, (UtcDateTime(), Uuid())):
            yield [check_id for _, check_id in rows]

    def _pages(self, query: Any, key: tuple[Any, ...], types: tuple[Any, ...]) -> Iterator[list[Any]]:
        """The rows of a query page by page, each read in a scope of its own that is closed when it is worked on."""
        page = query
        while True:
            with self._database.reading() as session:
                rows = session.execute(page).all()
            if not rows:
                return
            yield list(rows)
            last = [literal(value, type_) for value, type_ in zip(rows[-1], types, strict=True)]
            page = query.where(tuple_(*key) > tuple_(*last))

    def _remove_images(self, may_go: ColumnElement[bool], capture_ids: Collection[UUID]) -> None:
        """Mark, remove, forget: of those captures that still may lose their photograph."""
        with self._step() as session:
            first, sharing = aliased(Captures), aliased(Captures)
            # Who shows another insert of the same photograph loses it at the same moment.
            chosen = (
                select(sharing.capture_id)
                .join(first, (first.check_id == sharing.check_id) & (first.image == sharing.image))
                .where(first.capture_id.in_(capture_ids))
            )
            rows = session.execute(
                select(Captures.capture_id, Captures.image)
                .where(Captures.capture_id.in_(chosen), or_(retention.image_is_going(), may_go))
                .order_by(Captures.capture_id)
                .with_for_update(key_share=True)
            ).all()
            photographs.mark(session, [capture_id for capture_id, _ in rows])
        if not rows:
            return
        removal = self._images.remove({image.removeprefix(MARK) for _, image in rows})
        with self._step(synced=False) as session:  # forgotten again in a power cut, the next run finishes it anew
            photographs.forget(session, [capture_id for capture_id, _ in rows])
        self._tell("images", removal.removed)
        self._tell("missing", removal.missing)
        self.refused += removal.refused

    def _remove_checks(self, check_ids: list[UUID]) -> None:
        of_checks = Captures.check_id.in_(check_ids)
        with self._database.reading() as session:
            may_go = retention.check_may_go(self._policy.verdicts)
            still = select(Checks.check_id).where(Checks.check_id.in_(check_ids), may_go)
            shown = session.scalars(select(Captures.capture_id).where(of_checks, Captures.image != MARK)).all()
        if shown:
            self._remove_images(photographs.is_there() & Captures.check_id.in_(still), shown)
        with self._step() as session:
            # As a worker that records a capture does: first the checks, then the captures, each in order.
            session.execute(_held(Checks.check_id, Checks.check_id.in_(check_ids)))
            session.execute(_held(Captures.capture_id, of_checks))
            leaving = session.scalars(still).all()
            gone = session.scalars(select(Captures.capture_id).where(Captures.check_id.in_(leaving))).all()
            for table, condition in (
                (CapturesAhead, CapturesAhead.capture_id.in_(gone)),
                (ShadowVerdicts, ShadowVerdicts.capture_id.in_(gone)),
                (Verdicts, Verdicts.capture_id.in_(gone)),
                (Faults, Faults.capture_id.in_(gone) | Faults.check_id.in_(leaving)),
                (Captures, Captures.capture_id.in_(gone)),
                (Checks, Checks.check_id.in_(leaving)),
            ):
                session.execute(delete(table).where(condition).execution_options(synchronize_session=False))
        self._tell("checks", len(leaving))
        self._tell("captures", len(gone))

    def _remove_shadows(self, limit: datetime) -> None:
        key = (ShadowVerdicts.model_id, ShadowVerdicts.capture_id)
        with self._database.reading() as session:
            may_go = retention.shadow_may_go(session, limit)
        query = select(*key).where(may_go).order_by(*key).limit(CAPTURES_AT_ONCE)
        for rows in self._pages(query, key, (ShadowVerdicts.model_id.type, Uuid())):
            with self._step() as session:
                chosen = tuple_(*key).in_([tuple(row) for row in rows])
                again = retention.shadow_may_go(session, limit)  # one may have been put in shadow meanwhile
                self._tell("shadow", _deleted(session, ShadowVerdicts, chosen & again))

    def _remove_faults(self, limit: datetime) -> None:
        query = select(Faults.id).where(retention.fault_may_go(limit)).order_by(Faults.id).limit(CAPTURES_AT_ONCE)
        for rows in self._pages(query, (Faults.id,), (Faults.id.type,)):
            with self._step() as session:
                chosen = Faults.id.in_([row.id for row in rows])
                self._tell("faults", _deleted(session, Faults, chosen & retention.fault_may_go(limit)))


def _held(column: Any, condition: ColumnElement[bool]) -> Any:
    return select(column).where(condition).order_by(column).with_for_update()


def _deleted(session: Session, table: Any, condition: ColumnElement[bool]) -> int:
    done = session.execute(delete(table).where(condition).execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]
