"""`/search` and `/search.csv`: verdicts by any of their filters, at an address that can be sent."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse

from db.console.access.guard import Viewer
from db.console.context import console_of
from db.console.head_requests import is_head
from db.console.reader import moments
from db.console.reader.texts import Text
from db.console.rendering import page
from db.learning import reviews
from db.line import verdicts
from db.line.rows import Filters
from db.people import audit
from db.queries import known_places
from db.queries.verdicts_csv import write_csv
from producer.contract.vocabulary import OUTCOMES

router = APIRouter(dependencies=[moments.InIso])

SHOWN: Final = 100

_CSV: Final = "text/csv; charset=utf-8"
_PIECE: Final = 64 * 2**10
_IN_MEMORY: Final = 8 * 2**20
"""Bytes of a CSV that are kept in memory; what is longer lies in a temporary file until it is sent."""


@dataclass(frozen=True)
class Asked:
    """The filters as in the form and in the address; an empty filter is ignored."""

    machine: str = ""
    head: str = ""
    pocket: str = ""
    operation: str = ""
    station: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""

    @property
    def address(self) -> str:
        """The filters that are set, as an address has them."""
        set_ = {field.name: value for field in fields(self) if (value := getattr(self, field.name))}
        return urlencode(set_)

    def filters(self) -> Filters:
        """What to look for.

        Raises:
            HTTPException: a filter is not what it should be.
        """
        if self.outcome and self.outcome not in OUTCOMES:
            known = ", ".join(OUTCOMES)
            raise HTTPException(400, Text("%(given)r is no outcome: %(known)s", given=self.outcome, known=known))
        if self.pocket and not (self.pocket.isascii() and self.pocket.isdigit() and len(self.pocket) < 10):
            raise HTTPException(400, Text("%(given)r is no pocket: write its number", given=self.pocket))
        return {
            "machine": _name(self.machine),
            "head": _name(self.head),
            "pocket": int(self.pocket) if self.pocket else None,
            "operation": _name(self.operation),
            "station": _name(self.station),
            "outcome": self.outcome or None,
            "since": moments.moment_of(self.since),
            "until": moments.moment_of(self.until),
        }


Filtered = Annotated[Asked, Depends()]


@router.get("/search")
def search(
    request: Request, query: Filtered, person: Viewer, limit: Annotated[int, Query(ge=1, le=1000)] = SHOWN
) -> Response:
    """The form and the newest verdicts that match."""
    filters = query.filters()
    with console_of(request).database.reading() as session:
        rows = verdicts.search(session, limit=limit, **filters)
        labels = reviews.newest_labels(session, [row.capture_id for row in rows])
        unknown = None if rows else known_places.unknown(session, **_place(filters))
    return page(
        request,
        "search.html",
        status=404 if unknown else 200,
        rows=rows,
        labels=labels,
        asked=query,
        outcomes=OUTCOMES,
        limit=limit,
        unknown=unknown,
    )


@router.get("/search.csv")
def as_csv(request: Request, query: Filtered, person: Viewer) -> Response:
    """All verdicts that match, as `insert-db export` writes them."""
    console, now = console_of(request), datetime.now(UTC)
    filters = query.filters()
    if is_head(request):
        return Response(media_type=_CSV)
    # Written in full before it is sent: a slow reader holds no connection to the database.
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - `_pieces` closes it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")  # with the mark that spreadsheets look for
    with console.database.reading() as session:
        known_places.refuse_unknown(session, **_place(filters))
        count = write_csv(verdicts.export(session, **filters), text)
    text.detach()
    with console.database.transaction() as session:
        audit.write(session, at=now, by=person.name, action="exported", subject=query.address or "all", rows=count)
    file.seek(0)
    headers = {"Content-Disposition": f'attachment; filename="verdicts-{now:%Y-%m-%d}.csv"'}
    return StreamingResponse(_pieces(file), media_type=_CSV, headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _place(filters: Filters) -> dict[str, Any]:
    return {name: filters.get(name) for name in ("machine", "head", "pocket", "station")}


def _name(text: str) -> str | None:
    return unicodedata.normalize("NFC", text.strip()) or None
