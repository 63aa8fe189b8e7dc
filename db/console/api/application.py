"""The API as an application of its own, below `/api/v1`: its resources, its errors and its OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from db.console.access.guard import ApiViewer, cookie_name
from db.console.api import (
    captures,
    checks,
    heads,
    history,
    insert_changes,
    lives,
    models,
    mtconnect,
    replace,
    reviews,
    verdicts,
)
from db.console.api.fields import PREFIX
from db.console.api.known_filters import refuse_unknown_filters
from db.console.api.problems import HANDLERS, MEDIA_TYPE, Problem
from db.console.conditional import ConditionalRoute
from db.console.context import Console

router = APIRouter(route_class=ConditionalRoute)

RESOURCES: Final = (
    verdicts.router,
    heads.router,
    checks.router,
    replace.router,
    history.router,
    captures.router,
    insert_changes.router,
    lives.router,
    reviews.router,
    models.router,
    mtconnect.router,
    router,
)

_PROBLEM: Final = {
    "description": "It could not be done.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Api(FastAPI):
    """The application, whose document also says how to sign in and what an error looks like."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            console: Console = self.state.console
            components = document["components"]
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            components["schemas"] |= {**problem.pop("$defs"), "Problem": problem}
            components["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer", "description": "`insert-db users token add`"},
                "session": {"type": "apiKey", "in": "cookie", "name": cookie_name(console)},
            }
            document["security"] = [{"token": []}, {"session": []}]
        return self.openapi_schema or {}


def make_api(console: Console) -> FastAPI:
    """The API of a console."""
    api = Api(
        title="Insert inspection",
        version="1",
        description="What the console's pages show and do, for programs: `docs/api.md` has examples.",
        servers=[{"url": PREFIX}],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        exception_handlers=HANDLERS,
        responses={"default": _PROBLEM},
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.console = console
    for resource in RESOURCES:
        api.include_router(resource, dependencies=[Depends(refuse_unknown_filters)])
    return api


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, person: ApiViewer) -> Response:
    """The OpenAPI document of this version."""
    return JSONResponse(request.app.openapi())
