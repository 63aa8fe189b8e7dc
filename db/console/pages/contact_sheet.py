"""`/sheet`: the photographs of one head beside each other, confirmed as the model says where a person saw them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from db.console.access.guard import Labeller
from db.console.context import console_of
from db.console.heads_now import heads_now
from db.console.numbers import Typed
from db.console.reader.texts import Text
from db.console.rendering import page
from db.engine import clock
from db.line import late_labels
from db.people import audit
from db.queries import contact_sheet as subject
from db.queries import head_overview
from producer.contract.vocabulary import OUTCOMES, Outcome

router = APIRouter()

CONFIRMED_AT_ONCE: Final = 500
"""Photographs that are confirmed at once at most; no head has so many pockets."""


@router.get("/sheet")
def sheet(
    request: Request,
    person: Labeller,
    machine: Typed = "",
    head: Typed = "",
    labelled: Annotated[int, Query(ge=0)] = 0,
    left_out: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The sheet of one head, by default the first; `labelled` and `left_out` say what was just done."""
    with console_of(request).database.reading() as session:
        heads = head_overview.heads(session)
        if not machine and not head and heads:
            machine, head = heads[0]
        if (machine, head) not in heads and heads:
            raise HTTPException(404, Text("there is no such head"))
        rows = subject.sheet(session, machine, head)
        late = {of.pocket: of.label for of in late_labels.in_force(session, machine, head) if of.is_late}
        [overview] = heads_now(console_of(request), session, [(machine, head)], clock.latest(session))
    return page(
        request,
        "contact_sheet.html",
        heads=heads,
        machine=machine,
        head=head,
        rows=rows,
        doubts={of: check for of, check in overview.doubts.items() if overview.words[of] == "unsure"},
        late=late,
        labelled=labelled,
        left_out=left_out,
    )


@router.post("/sheet/confirm")
def confirm(
    request: Request,
    person: Labeller,
    machine: Annotated[str, Form()],
    head: Annotated[str, Form()],
    shown: Annotated[list[str], Form(max_length=CONFIRMED_AT_ONCE)],
) -> Response:
    """Label those as the model says; `shown` are the photographs that were seen, each as `capture outcome`."""
    wanted, now = _parsed(shown), datetime.now(UTC)
    with console_of(request).database.transaction() as session:
        done = subject.confirm(session, machine, head, wanted, by=person.name, at=now)
        if done:
            place = f"{machine} · {head}"
            detail: dict[str, Any] = {"count": len(done), "captures": [str(capture) for capture in done]}
            audit.write(session, at=now, by=person.name, action="reviewed in bulk", subject=place, **detail)
    parameters = {"machine": machine, "head": head, "labelled": len(done), "left_out": len(wanted) - len(done)}
    return RedirectResponse("/sheet?" + urlencode(parameters), 303)


def _parsed(shown: list[str]) -> dict[UUID, Outcome]:
    outcomes: dict[UUID, Outcome] = {}
    for pair in shown:
        capture, _, word = pair.partition(" ")
        outcome = next((known for known in OUTCOMES if known == word), None)
        try:
            capture_id = UUID(capture)
        except ValueError:
            outcome = None
        if outcome is None:
            raise HTTPException(400, Text("%(given)r is no capture with an outcome", given=pair[:100]))
        outcomes[capture_id] = outcome
    return outcomes
