"""The head map: each pocket where it sits in the head, and inside of it what the last operations left there.

This is geometry only; colours and glyphs are the template's and the style sheet's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Layout = Literal["circle", "row"]

SIDE: Final = 400
"""Width of a map, and height of a round one, in units of its own."""

RINGS: Final = 5
"""So many operations are drawn: the newest next to the pockets."""

_CENTRE: Final = SIDE / 2
_PLACES: Final = 160.0
"""The radius on which the pockets sit."""

_GLYPHS: Final = 189.0
_NEWEST_RING: Final = 129.0
_RING_STEP: Final = 10.5
_RING_WIDTH: Final = 7.5
_LARGEST: Final = 19.0
_A_ROW: Final = 10
_WIDEST: Final = 56.0


@dataclass(frozen=True)
class Spot:
    """Where one pocket is drawn: `x` and `y` of its middle and its `radius`, its glyph's middle, and its way's marks.

    `turn` is its angle in degrees, so that an insert sits in its pocket as in the head. `marks` are paths, one for each
    operation, the newest first.
    """

    pocket: int
    x: float
    y: float
    radius: float
    turn: float
    glyph_x: float
    glyph_y: float
    marks: Sequence[str]


@dataclass(frozen=True)
class HeadMap:
    """A drawing's size and the places of its pockets."""

    layout: Layout
    height: float
    spots: Mapping[int, Spot]


def head_map(pockets: int, layout: Layout = "circle") -> HeadMap:
    """The places of so many pockets: the first one at the top, the others clockwise; or in rows, from the left."""
    if layout == "circle":
        return HeadMap(layout, SIDE, {spot.pocket: spot for spot in _circle(pockets)})
    rows = math.ceil(pockets / _A_ROW)
    return HeadMap(layout, rows * _row_height(), {spot.pocket: spot for spot in _rows(pockets)})


def _circle(pockets: int) -> Iterator[Spot]:
    step = 2 * math.pi / max(pockets, 1)
    radius = min(_LARGEST, 0.44 * step * _PLACES)
    for pocket in range(1, pockets + 1):
        angle = (pocket - 1) * step - math.pi / 2
        x, y = _on_circle(_PLACES, angle)
        glyph_x, glyph_y = _on_circle(_GLYPHS, angle)
        half = min(0.4 * step, 0.35)
        marks = tuple(_arc(_NEWEST_RING - ring * _RING_STEP, angle - half, angle + half) for ring in range(RINGS))
        turn = round(math.degrees(angle) + 90, 1)
        yield Spot(pocket, x, y, round(radius, 1), turn, glyph_x, glyph_y, marks)


def _rows(pockets: int) -> Iterator[Spot]:
    in_a_row = math.ceil(pockets / math.ceil(pockets / _A_ROW)) if pockets else 1
    width = min(_WIDEST, SIDE / in_a_row)
    left = (SIDE - in_a_row * width) / 2
    for pocket in range(1, pockets + 1):
        row, place = divmod(pocket - 1, in_a_row)
        x, y = left + (place + 0.5) * width, row * _row_height() + 40
        marks = tuple(_bar(x, y + 28 + ring * _RING_STEP, 0.36 * width) for ring in range(RINGS))
        yield Spot(pocket, round(x, 1), round(y, 1), 16, 0, round(x, 1), round(y - 28, 1), marks)


def _row_height() -> float:
    return 68 + RINGS * _RING_STEP


def _on_circle(radius: float, angle: float) -> tuple[float, float]:
    return round(_CENTRE + radius * math.cos(angle), 1), round(_CENTRE + radius * math.sin(angle), 1)


def _arc(radius: float, begin: float, end: float) -> str:
    """A piece of a ring, as the path of its outline."""
    outer, inner = radius + _RING_WIDTH / 2, radius - _RING_WIDTH / 2
    (a, b), (c, d) = _on_circle(outer, begin), _on_circle(outer, end)
    (e, f), (g, h) = _on_circle(inner, end), _on_circle(inner, begin)
    return f"M{a} {b}A{outer} {outer} 0 0 1 {c} {d}L{e} {f}A{inner} {inner} 0 0 0 {g} {h}Z"


def _bar(x: float, y: float, half: float) -> str:
    top = y - _RING_WIDTH / 2
    return f"M{x - half:.1f} {top:.1f}h{2 * half:.1f}v{_RING_WIDTH}h{-2 * half:.1f}Z"
