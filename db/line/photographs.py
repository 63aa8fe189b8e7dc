"""Whether a capture's photograph is still there, by its row: retention removes photographs and keeps rows.

`captures.image` is the key in the image store for as long as there is a photograph. Before retention removes it, the
key gets a mark in front, and when it is gone the mark alone is left. No key can begin with it
(`producer.contract.event.check_key`), so reading such an image is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, update
from sqlalchemy.orm import Session

from db.schema.tables import Captures

MARK: Final = "-"

LONGEST_KEY: Final = 511
"""A longer key has no room for the mark in its column, so such a photograph is kept."""

REMOVED: Final = "removed, as old ones are (`insert-db prune --help`)"
"""The text printed in place of a photograph."""


def is_there(capture: Any = Captures) -> ColumnElement[bool]:
    """The captures whose photograph is there."""
    return ~is_marked(capture)


def is_marked(capture: Any = Captures) -> ColumnElement[bool]:
    """The captures whose photograph is gone, or may go at any moment."""
    condition: ColumnElement[bool] = func.substr(capture.image, 1, 1) == MARK
    return condition


def key_or_none() -> ColumnElement[str | None]:
    """The photograph's key, or null where it was removed; as the column `image`."""
    return case((is_there(), Captures.image), else_=None).label("image")


def mark(session: Session, capture_ids: Sequence[UUID]) -> None:
    """Mark captures whose photographs must no longer be relied on; their keys stay known."""
    unmarked = Captures.capture_id.in_(capture_ids) & is_there()
    session.execute(
        update(Captures)
        .where(unmarked)
        .values(image=MARK + Captures.image)
        .execution_options(synchronize_session=False)
    )


def forget(session: Session, capture_ids: Sequence[UUID]) -> None:
    """Record that the photographs of marked captures are gone."""
    marked = Captures.capture_id.in_(capture_ids) & is_marked()
    session.execute(update(Captures).where(marked).values(image=MARK).execution_options(synchronize_session=False))
