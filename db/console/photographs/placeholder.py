"""The drawing in place of a photograph that cannot be shown: it is made here, with no outside content."""

from __future__ import annotations

import html
from typing import Final, Literal

from babel import Locale

from db.console.photographs.resizing import SIDES
from db.console.reader.texts import Text

Why = Literal["removed", "missing", "overwritten", "unreadable", "unavailable"]

WORDS: Final[dict[Why, Text]] = {
    "removed": Text("removed, as old ones are"),
    "missing": Text("not in the image store"),
    "overwritten": Text("overwritten by another photograph"),
    "unreadable": Text("this file is no whole photograph"),
    "unavailable": Text("the image store does not answer"),
}

STATUS: Final[dict[Why, int]] = {
    "removed": 410,
    "missing": 404,
    "overwritten": 404,
    "unreadable": 404,
    "unavailable": 503,
}
"""The status of the answer: a browser shows the drawing all the same."""

SIDE: Final = 2 * SIDES["large"]
"""Pixels of its sides: more than any photograph has that a browser gets, by which a page's script knows a drawing."""


SIDE_OF_PASSING: Final = 2 * SIDE
"""The same where there may be one in a moment, which the page's script asks for again."""


def placeholder(why: Why, locale: Locale) -> str:
    """An SVG that says why there is no photograph."""
    words, side = html.escape(WORDS[why].translated(locale)), SIDE_OF_PASSING if why == "unavailable" else SIDE
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 320 320"
role="img" aria-label="{words}">
<rect width="320" height="320" fill="#7d8590"/>
<g fill="none" stroke="#e6e9ec" stroke-width="6" stroke-linejoin="round" opacity="0.8">
<path d="M160 70 226 136 160 202 94 136Z"/><circle cx="160" cy="136" r="16"/><path d="M70 226 250 46"/></g>
<text x="160" y="264" font-family="sans-serif" font-size="18" fill="#fff" text-anchor="middle">{words}</text>
</svg>
"""
