"""`/api/v1/mtconnect`: a head as an MTConnect cutting tool."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from db.console.access.guard import ApiViewer
from db.console.conditional import ConditionalRoute
from db.console.context import console_of
from db.queries import known_places
from db.queries.head_inserts import head_now
from db.queries.mtconnect_asset import MEDIA_TYPE, document, tag_of
from producer.contract.names import Name

router = APIRouter(route_class=ConditionalRoute)


@router.get(
    "/mtconnect",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
def mtconnect(request: Request, person: ApiViewer, machine: Name, head: Name) -> Response:
    """The head as an MTConnectAssets document: a cutting tool, its inserts the cutting items."""
    console = console_of(request)
    entry = None if console.heads is None else console.heads.get(head)
    with console.database.reading() as session:
        known = head_now(session, machine, head, None if entry is None else entry.pockets)
        if known is None:
            known_places.refuse_unknown(session, machine, head)
    if known is None:
        raise HTTPException(404, f"nothing is known of machine {machine}, head {head}")
    text = document(known, datetime.now(UTC), socket.gethostname())
    return Response(text, headers={"ETag": tag_of(known)}, media_type=MEDIA_TYPE)
