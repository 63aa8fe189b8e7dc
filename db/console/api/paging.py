"""Page by page, by the key of a page's last row: none is left out or sent twice while new ones come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import HTTPException, Query, Request
from pydantic import BaseModel, Field

from db.line.rows import Position

T = TypeVar("T")

MOST_ROWS: Final = 1_000

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="So many at most; the others follow at `next`.")]
After = Annotated[str | None, Query(description="Where the page begins: as `next` of the page before has it.")]


class Page(BaseModel, Generic[T]):
    """Some of what there is, in order."""

    items: list[T]
    next: str | None = Field(description="The address of the next page; null on the last one.")


def page(
    request: Request, rows: Sequence[T], limit: int, key: Callable[[T], str], shown: Callable[[T], Any]
) -> dict[str, Any]:
    """A page of rows, of which one more than `limit` was asked for: if it is there, so is a next page."""
    items = [shown(row) for row in rows[:limit]]
    return {"items": items, "next": _address(request, key(rows[limit - 1])) if len(rows) > limit else None}


def key_of(moment: datetime, name: object) -> str:
    """A key of two parts, for `after`."""
    return f"{moment.isoformat().replace('+00:00', 'Z')}_{name}"


def position(after: str | None) -> Position | None:
    """The place in an order of captures or checks that a key names.

    Raises:
        HTTPException: it is no such key.
    """
    return read(after, UUID)


def read(after: str | None, kind: Callable[[str], T]) -> tuple[datetime, T] | None:
    """The two parts of a key.

    Raises:
        HTTPException: it is no such key.
    """
    if after is None:
        return None
    moment, _, name = after.partition("_")
    try:
        at, identity = datetime.fromisoformat(moment), kind(name)
        if at.tzinfo is None or "\0" in name:
            raise ValueError("no key of ours is like that")
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise HTTPException(400, f"after: {after!r} is none: take it from `next` of the page before") from None
    return at, identity


def _address(request: Request, after: str) -> str:
    """The same question, from that key on; without a host, which a header may claim."""
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return f"{request.url.path}?{urlencode([*parameters, ('after', after)])}"
