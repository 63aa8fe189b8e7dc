"""The head map: each pocket where it sits in the head, and inside of it what the last operations left there.

Colours and glyphs are the template's and the style sheet's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from markupsafe import Markup, escape

from producer.contract.vocabulary import Layout

SIDE: Final = 400
"""Width of a map, and height of a round one, in units of its own."""

RINGS: Final = 5
"""How many operations are drawn: the newest next to the pockets."""

_CENTRE: Final = SIDE / 2
_PLACES: Final = 160.0
"""The radius on which the pockets sit."""

_GLYPHS: Final = 189.0
_NEWEST_RING: Final = 129.0
_RING_STEP: Final = 10.5
_LARGEST: Final = 19.0
_SEATS_A_NUMBER: Final = 11.0
"""From this radius on a seat has room for its number; smaller ones have some of the numbers beside them."""

_LEAST_NUMBER: Final = 14.0
_BESIDE: Final = 143.0
_NUMBER_WIDTH: Final = 10.0
"""The width of a digit beside the seats, with its part of the gap to the next number."""

_GLYPH: Final = 18.0
_A_ROW: Final = 10
_WIDEST: Final = 56.0


@dataclass(frozen=True)
class Spot:
    """Where one pocket is drawn: `x` and `y` of its middle and its `radius`, its glyph's middle, and its way's marks.

    `turn` is its angle in degrees, so that an insert sits in its pocket as in the head. `number` is where its number
    is; None where the one of a pocket beside it takes the room. `marks` are paths, one for each operation, the newest
    first. `svg` is what is drawn of it whatever it shows, and `glyph` where its glyph is.
    """

    pocket: int
    x: float
    y: float
    radius: float
    turn: float
    glyph_x: float
    glyph_y: float
    glyph_size: float
    number: tuple[float, float] | None
    marks: Sequence[str]

    @cached_property
    def svg(self) -> Markup:
        """Its outline and its number, where there is room for it."""
        outline = _seat(self.x, self.y, self.radius, self.turn)
        inside = self.radius >= _SEATS_A_NUMBER
        seat = Markup('<path class="{}" d="{}"/>').format("seat" if inside else "seat small", outline)
        if self.number is None:
            return seat
        look = Markup(' font-size="{}"').format(self._number_size) if inside else Markup(' class="beside"')
        return seat + Markup('<text{} x="{}" y="{}">{}</text>').format(look, *self.number, self.pocket)

    @property
    def _number_size(self) -> int:
        """Its number is as large as its seat has room for: a board is read from far."""
        return round(max(_LEAST_NUMBER, min(1.4, 2 / len(str(self.pocket))) * self.radius))

    @cached_property
    def glyph(self) -> Markup:
        """Place and size of its glyph, as attributes."""
        x, y, size = self.glyph_x - self.glyph_size / 2, self.glyph_y - self.glyph_size / 2, self.glyph_size
        return Markup('x="{:.1f}" y="{:.1f}" width="{:g}" height="{:g}"').format(x, y, size, size)


@dataclass(frozen=True)
class HeadMap:
    """A drawing's size and the places of its pockets."""

    layout: Layout
    height: float
    spots: Mapping[int, Spot]


def rings(drawn: HeadMap, operations: Sequence[tuple[str, Mapping[int, str]]], texts: Mapping[str, str]) -> Markup:
    """The marks of the last operations, each with its name and what it left in which pocket.

    What is alike is one path, so that there is one for each word and not for each pocket. Here rather than in a
    template, as `pockets`.
    """
    names, spots, pieces = {word: escape(name) for word, name in texts.items()}, drawn.spots, []
    for of, (operation, words) in enumerate(operations[:RINGS]):
        alike: dict[str, list[str]] = {}
        for pocket, word in words.items():
            if pocket in spots:
                alike.setdefault(word, []).append(spots[pocket].marks[of])
        title = escape(operation)
        pieces += [
            f'<path class="mark {word}" d="{"".join(paths)}"><title>{title}: {names[word]}</title></path>\n'
            for word, paths in alike.items()
        ]
    return Markup("".join(pieces))  # noqa: S704 - all that comes from outside is escaped above


def pockets(drawn: HeadMap, words: Mapping[int, str], texts: Mapping[str, str], address: str | None) -> Markup:
    """The pockets with what is in them: each leads to `address` and its number, and is named by its word in `texts`.

    Without an address they lead nowhere.

    Here rather than in a template: a line has more than a thousand of them, and this takes a tenth of the time.
    """
    names = {word: escape(name) for word, name in texts.items()}
    to, end = (None, "g") if address is None else (escape(address), "a")
    pieces = []
    for number, spot in drawn.spots.items():
        word, begin = words.get(number, "empty"), 'g role="img"' if to is None else f'a href="{to}{number}"'
        pieces.append(
            f'<{begin} class="pocket {word}"><title>{number}: {names[word]}</title>{spot.svg}'
            f'<use class="glyph" href="#g-{word}" {spot.glyph}/></{end}>\n'
        )
    return Markup("".join(pieces))  # noqa: S704 - all that comes from outside is escaped above


@cache
def head_map(pockets: int, layout: Layout = "circle") -> HeadMap:
    """The places of so many pockets: the first one at the top, the others clockwise; or in rows, from the left."""
    if layout == "circle":
        return HeadMap(layout, SIDE, {spot.pocket: spot for spot in _circle(pockets)})
    rows = math.ceil(pockets / _A_ROW)
    return HeadMap(layout, rows * _row_height(), {spot.pocket: spot for spot in _rows(pockets)})


def _circle(pockets: int) -> Iterator[Spot]:
    step = 2 * math.pi / max(pockets, 1)
    radius = min(_LARGEST, 0.44 * step * _PLACES)
    glyph_size = round(min(_GLYPH, 0.9 * step * _GLYPHS), 1)
    apart = 1 if radius >= _SEATS_A_NUMBER else _numbers_apart(pockets, step * _BESIDE)
    for pocket in range(1, pockets + 1):
        angle = (pocket - 1) * step - math.pi / 2
        x, y = _on_circle(_PLACES, angle)
        glyph_x, glyph_y = _on_circle(_GLYPHS, angle)
        half = min(0.4 * step, 0.35)
        marks = tuple(_arc(_NEWEST_RING - ring * _RING_STEP, angle - half, angle + half) for ring in range(RINGS))
        turn = round(math.degrees(angle) + 90, 1)
        numbered = apart == 1 or pocket == 1 or (pocket % apart == 0 and apart < pocket <= pockets + 1 - apart)
        number = None if not numbered else (x, y) if apart == 1 else _on_circle(_BESIDE, angle)
        yield Spot(pocket, x, y, round(radius, 1), turn, glyph_x, glyph_y, glyph_size, number, marks)


def _numbers_apart(pockets: int, room: float) -> int:
    """Every which pocket has its number beside it, where each has so much `room` on the circle of the numbers."""
    width = _NUMBER_WIDTH * len(str(pockets))
    return next(apart for apart in (2, 5, 10, 20, 50, 100, pockets) if apart * room >= width or apart >= pockets)


def _rows(pockets: int) -> Iterator[Spot]:
    in_a_row = math.ceil(pockets / math.ceil(pockets / _A_ROW)) if pockets else 1
    width = min(_WIDEST, SIDE / in_a_row)
    left = (SIDE - in_a_row * width) / 2
    for pocket in range(1, pockets + 1):
        row, place = divmod(pocket - 1, in_a_row)
        x, y = left + (place + 0.5) * width, row * _row_height() + 40
        marks = tuple(_bar(x, y + 28 + ring * _RING_STEP, 0.36 * width) for ring in range(RINGS))
        x, y = round(x, 1), round(y, 1)
        yield Spot(pocket, x, y, 16, 0, x, round(y - 28, 1), _GLYPH, (x, y), marks)


def _seat(x: float, y: float, radius: float, turn: float) -> str:
    """A square with round corners, turned about its middle."""
    half, straight = 0.86 * radius, 0.5 * radius
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))

    def at(right: float, down: float) -> str:
        return f"{x + right * cos - down * sin:.1f} {y + right * sin + down * cos:.1f}"

    sides = []
    for a, b in ((1, 0), (0, 1), (-1, 0), (0, -1)):  # the middle of each side, and with it the corner that follows
        begin = at(a * half + b * straight, b * half - a * straight)
        end = at(a * half - b * straight, b * half + a * straight)
        sides.append(f"{begin}L{end}Q{at((a - b) * half, (b + a) * half)} ")
    return f"M{''.join(sides)}{sides[0].partition('L')[0]}Z"


def _row_height() -> float:
    return 68 + RINGS * _RING_STEP


def _on_circle(radius: float, angle: float) -> tuple[float, float]:
    return round(_CENTRE + radius * math.cos(angle), 1), round(_CENTRE + radius * math.sin(angle), 1)


def _arc(radius: float, begin: float, end: float) -> str:
    """A piece of a ring, along its middle."""
    (a, b), (c, d) = _on_circle(radius, begin), _on_circle(radius, end)
    return f"M{a:g} {b:g}A{radius:g} {radius:g} 0 0 1 {c:g} {d:g}"


def _bar(x: float, y: float, half: float) -> str:
    return f"M{x - half:.1f} {y:.1f}h{2 * half:.1f}"
