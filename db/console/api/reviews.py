"""`/api/v1/reviews`: what people say that captures show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from db.console.access.guard import ApiLabeller, ApiViewer
from db.console.api.fields import FreeText, Since
from db.console.api.paging import Limit, Page, page
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.console.numbers import Row, SeenRow
from db.console.reader.texts import Text
from db.learning import reviews as subject
from db.people import audit
from db.schema.column_words import Provenance
from producer.contract.vocabulary import Label

router = APIRouter(route_class=ConditionalRoute)


class Review(BaseModel):
    """The label that one person gave one capture."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    capture_id: UUID
    label: Label
    by: str
    at: datetime
    note: str | None
    provenance: Provenance = Field(description="Of one photograph that was looked at, or of a sheet of them at once.")


class NewReview(BaseModel):
    """What a capture shows; `note` is for people.

    `seen` is the `id` of the newest review of it that is known, 0 for none: then none that came after it is
    overruled, and the same word sent again is kept once.
    """

    model_config = ConfigDict(extra="forbid")

    capture_id: UUID
    label: Label
    note: str | None = Field(None, max_length=subject.MAX_NOTE)
    seen: SeenRow | None = None


@router.get("/reviews", response_model=Page[Review])
def reviews(
    request: Request,
    person: ApiViewer,
    capture_id: UUID | None = None,
    by: FreeText | None = None,
    since: Since = None,
    limit: Limit = 100,
    after: Annotated[Row | None, Query(description="The last `id` of the page before.")] = None,
) -> Any:
    """Reviews, the newest first; of a capture's reviews the newest counts."""
    with console_of(request).database.reading() as session:
        rows = subject.recent(session, capture_id=capture_id, by=by, since=since, before=after, limit=limit + 1)
    return page(request, rows, limit, lambda row: str(row.id), Review.model_validate)


@router.post("/reviews", status_code=201, response_model=Review)
def review(request: Request, person: ApiLabeller, new: NewReview) -> Any:
    """Say what a capture shows. It counts from now on; the ones before stay readable.

    409: somebody has said something else after the review that was `seen`, the same account too; or there is no
    photograph (a stand-in, or removed) and `label` is another than `unusable`.
    """
    now = datetime.now(UTC)
    try:
        with console_of(request).database.transaction() as session:
            kept = subject.add(
                session,
                capture_id=new.capture_id,
                label=new.label,
                by=person.name,
                at=now,
                note=new.note,
                seen=new.seen,
            )
            if kept.at == now:
                details = {"label": new.label, **person.token_in_audit}
                audit.write(session, at=now, by=person.name, action="reviewed", subject=str(new.capture_id), **details)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except subject.NobodySaw as error:
        raise HTTPException(409, str(error)) from error
    except subject.Overtaken as error:
        raise HTTPException(409, Text("%(name)s has said what it is meanwhile", name=error.by)) from error
    return Review.model_validate(kept)
