"""A mistyped filter is refused: without it the answer would be of everything, and be taken for what was asked."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute

from db.console.access.guard import ApiViewer


def refuse_unknown_filters(request: Request, person: ApiViewer) -> None:
    """Refuse, to who may ask at all, what the address asks for and the resource does not know, or says twice.

    Raises:
        HTTPException: 400, with the names that there are.
    """
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    operation: dict[str, Any] = request.app.openapi()["paths"][route.path_format][request.method.lower()]
    known = {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    for name in request.query_params:
        if name not in known:
            names = f"there are {', '.join(known)}" if known else "there is none here"
            raise HTTPException(400, f"there is no filter {name[:40]!r}: {names}")
        if len(request.query_params.getlist(name)) > 1 and "array" not in str(known[name]):
            raise HTTPException(400, f"the filter {name} stands there more than once")
