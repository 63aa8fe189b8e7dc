"""Heads as pages show them. A head that shows the same as before is not drawn again; only its age is updated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from babel import Locale
from jinja2 import Environment
from markupsafe import Markup, escape

from db.console.drawing.head_map import HeadMap, head_map
from db.console.live.feed import head_id
from db.console.reader import formats
from db.queries.head_answer import HeadOverview
from producer.contract.vocabulary import Layout

MOST_DRAWINGS: Final = 500
"""How many drawings are kept at most: each head's last one in each language in use."""

MANY: Final = 9
"""From so many heads on those that need nobody are small on a board."""

BUSY: Final = 4
"""So many of them that need a person are smaller too."""

CROWDED: Final = 7
"""So many that need a person make all of them small."""

_AGE: Final = Markup("<age>")
"""Takes the place of what changes with time in a drawing: attributes and text of the element with its age. Names and
other texts of the line are escaped, so none can be mistaken for it."""


@dataclass(frozen=True)
class Card:
    """All that is drawn of a head: two equal ones look the same to all readers of one language.

    `unlearnt`: the model in charge has learned from no photograph of it. `leads`: its pockets lead to their pages,
    which nobody sees who has not signed in.
    """

    overview: HeadOverview
    layout: Layout
    unlearnt: bool
    leads: bool = True

    @property
    def id(self) -> str:
        """Its id in pages and news."""
        return head_id(self.overview.machine, self.overview.head)

    @property
    def rings(self) -> Sequence[tuple[str, Mapping[int, str]]]:
        """The last operations, and what each left in which pocket."""
        return [(operation.check.operation, operation.words) for operation in self.overview.operations]

    @property
    def map(self) -> HeadMap:
        """The places of its pockets."""
        return head_map(self.overview.size, self.layout)


def crowd(cards: Sequence[Card]) -> str:
    """Classes that say how small heads must be drawn to fit on a wall; `count` in `live.js` goes on with them."""
    busy = sum(card.overview.state not in ("go", "stale") for card in cards)
    if len(cards) < MANY:
        return ""
    return "many crowded" if busy >= CROWDED else "many busy" if busy >= BUSY else "many"


class HeadCards:
    """Draws cards and keeps the drawings with their cards; a card that has changed is drawn again."""

    def __init__(self, templates: Environment) -> None:
        self._templates = templates
        self._drawn: dict[tuple[str, str, bool], tuple[Card, list[str]]] = {}

    def text(self, locale: Locale, card: Card, age: timedelta, stale_in: timedelta | None) -> Markup:
        """A head for who reads in `locale`, `age` after its last photograph and `stale_in` before one is too old.

        None where no photograph shows what is in the head now.
        """
        ends = None if card.overview.state == "stale" else stale_in
        until = "" if ends is None else f' data-stale-in="{int(ends.total_seconds())}"'
        of_now = f' data-age="{int(age.total_seconds())}"{until}>{escape(formats.age(locale, age))}'
        return Markup(of_now.join(self._drawing(locale, card)))  # noqa: S704 - escaped here and by the template

    def _drawing(self, locale: Locale, card: Card) -> list[str]:
        """What is between the places that change with time."""
        key = str(locale), card.id, card.leads
        kept = self._drawn.get(key)
        if kept is not None and kept[0] == card:
            return kept[1]
        # Nothing else goes in, neither who asks nor when: so it holds for whoever asks, whenever.
        drawn = self._templates.get_template("head.html").render(locale=locale, card=card, age_here=_AGE)
        parts = drawn.split(_AGE)
        while len(self._drawn) >= MOST_DRAWINGS:
            self._drawn.pop(next(iter(self._drawn), key), None)
        self._drawn[key] = (card, parts)
        return parts
