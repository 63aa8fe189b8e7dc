"""Pages out of templates: text is escaped, and every sentence may be translated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from db.console.context import console_of
from db.engine.times import local


def make_templates() -> Environment:
    """The templates of this package; `_` marks what a translation would replace."""
    environment = Environment(
        loader=PackageLoader("db.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # of the extension
    environment.filters.update(moment=local, age=age, percent=percent)
    return environment


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, or a piece of one, for a browser."""
    # Set by what let the request in (`db.console.access.guard`); None where nobody needs to be known.
    person = getattr(request.state, "person", None)
    text = (
        console_of(request)
        .templates.get_template(template)
        .render({"person": person, "here": request.url.path, "now": datetime.now(UTC), **values})
    )
    return HTMLResponse(text, status)


def age(passed: timedelta) -> str:
    """How long ago something was, as one number with its unit."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def percent(share: float) -> str:
    """A share of one, to a tenth of a percent."""
    return f"{share:.1%}"
