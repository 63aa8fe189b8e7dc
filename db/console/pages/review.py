"""`/review`: one photograph, one key, the next photograph."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from babel import Locale
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session

from db.console.access.guard import Labeller
from db.console.context import console_of
from db.console.numbers import SeenRow
from db.console.pages.review_keys import KEYS
from db.console.reader import formats, reasons
from db.console.reader.languages import locale_of
from db.console.reader.texts import Text
from db.console.rendering import page
from db.learning import reviews
from db.learning.reviews import Review
from db.line import late_labels, verdicts
from db.line.late_labels import LateLabel
from db.line.rows import VerdictRow
from db.people import audit
from db.people.sessions import Person
from db.queries import review_queue, review_turns
from producer.contract.vocabulary import DAMAGE_KINDS, OUTCOME_OF, Label

router = APIRouter()

PHOTOGRAPHS_ON_A_PAGE: Final = 4
"""A page has so many photographs at most: the one that is looked at, and the next three."""

Tab = Annotated[str, Form(pattern="^[0-9a-z-]{0,40}$")]
"""The name of the browser's tab: two tabs of one session count as two people, and no photograph is in both."""

_WHY: Final = {
    "unsure": Text("The model is unsure"),
    "near the threshold": Text("Near the model's threshold"),
    "a review disagrees": Text("A review disagrees with the verdict"),
    "a sample": Text("A sample: what do you see?"),
    "asked for": Text("You asked for this one"),
}


@router.get("/review")
def review(request: Request, person: Labeller, capture: UUID | None = None) -> Response:
    """The page; its script asks for the photographs. With a `capture` that one comes first."""
    return page(request, "review.html", keys=KEYS, labels=OUTCOME_OF, kinds=DAMAGE_KINDS, first=capture)


@router.post("/review/next")
def hand_out(
    request: Request,
    person: Labeller,
    count: Annotated[int, Form(ge=1, le=PHOTOGRAPHS_ON_A_PAGE)] = PHOTOGRAPHS_ON_A_PAGE,
    without: Annotated[list[UUID] | None, Form()] = None,
    tab: Tab = "",
) -> Response:
    """The next photographs, kept for this person's tab; `without` are those that it has, or that were skipped."""
    console = console_of(request)
    turn = review_turns.hand_out(console.database, _holder(person, tab), count, set(without or ()), datetime.now(UTC))
    with console.database.reading() as session:
        late = late_labels.in_force(session)
        items = [_shown(session, request, person, item.row, item.why, item.review, late) for item in turn.items]
    return JSONResponse({"items": items, "left": turn.left, "more": turn.more})


@router.post("/review/hold")
def hold(
    request: Request,
    person: Labeller,
    capture: Annotated[list[UUID], Form(max_length=PHOTOGRAPHS_ON_A_PAGE)],
    seen: Annotated[list[SeenRow], Form(max_length=PHOTOGRAPHS_ON_A_PAGE)],
    tab: Tab = "",
) -> Response:
    """Keep photographs for this person's tab while it shows them, except those that another person has labelled.

    `seen` is of each the newest review that the page knew, 0 for none.
    """
    if len(seen) != len(capture):
        raise HTTPException(400, Text("each photograph needs the review that was seen of it"))
    now = datetime.now(UTC)
    with console_of(request).database.transaction(synced=False) as session:
        theirs = [
            capture_id
            for capture_id, known in zip(capture, seen, strict=True)
            if any(review.id > known and review.by != person.name for review in reviews.of_capture(session, capture_id))
        ]
        mine = [capture_id for capture_id in capture if capture_id not in theirs]
        holder = _holder(person, tab)
        kept = [str(capture_id) for capture_id in mine if review_turns.keep(session, holder, capture_id, now)]
    return JSONResponse({"kept": kept})


@router.get("/review/item")
def item(request: Request, capture: UUID, person: Labeller) -> Response:
    """One photograph, with the label that it has."""
    with console_of(request).database.reading() as session:
        row = review_turns.one(session, capture)
        if row is None:
            raise HTTPException(404, Text("there is no such capture"))
        labels = reviews.of_capture(session, capture)
        # A sample that nobody has looked at is one however it was come by: its labels measure how often damage is.
        why = "asked for" if labels or not review_queue.is_sample(session, capture) else "a sample"
        late = late_labels.in_force(session, row.machine, row.head)
        return JSONResponse(_shown(session, request, person, row, why, labels[0] if labels else None, late))


@router.post("/review/label")
def label(
    request: Request,
    person: Labeller,
    capture: Annotated[UUID, Form()],
    label: Annotated[Label, Form()],
    seen: Annotated[SeenRow | None, Form()] = None,
    tab: Tab = "",
) -> Response:
    """Keep what the person says; it counts from now on, and the one before stays readable.

    `seen` is the newest review that the page knew, 0 for none: a later review, by any person, is not overruled by a
    person who has not seen it. If the person's own next review has the same label, it is a repeat whose answer was
    lost: it is kept once, and a later review stays the newest.
    """
    now = datetime.now(UTC)
    try:
        with console_of(request).database.transaction() as session:
            kept = reviews.add(session, capture_id=capture, label=label, by=person.name, at=now, seen=seen)
            if kept.at == now:
                audit.write(session, at=now, by=person.name, action="reviewed", subject=str(capture), label=label)
            review_turns.keep(session, _holder(person, tab), capture, now)
    except LookupError as error:
        raise HTTPException(404, str(error)) from error
    except reviews.NobodySaw as error:
        raise HTTPException(410, str(error)) from error  # 409 is what the page's script says of another person
    except reviews.Overtaken as error:
        raise HTTPException(409, Text("%(name)s has said what it is meanwhile", name=error.by)) from error
    return JSONResponse({"review": kept.id})


def _holder(person: Person, tab: str) -> str:
    return f"{person.digest} {tab}".rstrip()


def _said_late(row: VerdictRow, late: Sequence[LateLabel], locale: Locale) -> str | None:
    place = row.machine, row.head, row.pocket
    for label in late:
        if label.is_late and label.place == place and label.capture_id != row.capture_id:
            word = Text(label.label).translated(locale)
            return Text("%(label)s, by another photograph: a label here does not change that", label=word).translated(
                locale
            )
    return None


def _shown(
    session: Session,
    request: Request,
    person: Person,
    row: VerdictRow,
    why: str,
    newest: Review | None,
    late: Sequence[LateLabel],
) -> dict[str, Any]:
    """A photograph as the page's script needs it.

    A sample's verdict is not shown, nor another person's label of any photograph: it would influence the person. Of the
    others it is shown that somebody said damage of an earlier one, as a label of this one does not take that away.
    """
    locale = locale_of(request)
    blind = why == "a sample"
    before = review_turns.previous(session, row)
    reason = None if blind or row.reason is None else reasons.translated(locale, row.reason)
    verdict = None if blind else verdicts.current(session, row.capture_id)
    return {
        "id": str(row.capture_id),
        "why": _WHY.get(why, Text(why)).translated(locale),
        "place": f"{row.machine} · {row.head} · {row.pocket}",
        "late": None if blind else _said_late(row, late, locale),
        "operation": row.operation,
        "at": formats.moment(locale, row.ordered_at, "short"),
        "insert": row.insert_designation,
        "edge": row.edge,
        "operations": row.operations_on_edge,
        "verdict": None if blind or row.outcome is None else Text(row.label or row.outcome).translated(locale),
        "damage": None if blind or row.probability is None else formats.percent(locale, row.probability),
        "model": None if blind else row.model_id,
        "reason": None if blind else reason or row.reason,
        "reasonLanguage": locale.language if reason else "en",
        "said": newest.label if newest and newest.by == person.name else None,
        "review": newest.id if newest else None,
        "photograph": row.image is not None,
        "previous": str(before) if before else None,
        "sample": blind,
        "evidence": verdict is not None and verdict.evidence is not None,
    }
