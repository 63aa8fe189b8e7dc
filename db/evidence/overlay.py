"""A map of evidence over its photograph: orange speaks for damage, blue for intact, the stronger the denser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from db.evidence.evidence_map import EvidenceMap

DAMAGED: Final = (0xD5, 0x5E, 0x00)
INTACT: Final = (0x00, 0x72, 0xB2)
"""Colours that people with colour blindness tell apart (Okabe and Ito 2008)."""

_DENSEST: Final = 0.75
"""How much of the photograph the strongest place hides."""

_DARK: Final = 0.5
"""How bright what is not judged remains: enough to see where in the head the part is."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""

Corners = Sequence[tuple[float, float]]
"""Upper left, upper right, lower right and lower left, in pixels of the picture, of what was looked at upright."""

Pixels = Sequence[tuple[int, int]]
"""The same, in whole pixels."""

_NEUTRAL: Final = 127
_STRENGTHS: Final = np.clip((np.arange(256) - _NEUTRAL) / _NEUTRAL, -1, 1)
"""How strongly each grey value speaks for damage, from -1 (all for intact) to 1."""


def overlaid(photograph: Image.Image, evidence: EvidenceMap, place: Corners) -> Image.Image:
    """Return a photograph (RGB) with the map over the part of it that was looked at, which may be turned.

    The cell that speaks for damage most has a frame; where none does there is none.
    """
    corners = [(round(x), round(y)) for x, y in place]
    strength = _laid(_strength(evidence, corners), corners, photograph.size)
    colours = (np.where(_STRENGTHS < 0, *pair) for pair in zip(INTACT, DAMAGED, strict=True))
    layer = Image.merge("RGB", [strength.point(colour.tolist()) for colour in colours])
    density = strength.point(np.rint(255 * _DENSEST * np.abs(_STRENGTHS)).astype(int).tolist())
    result = Image.composite(layer, photograph, density)
    row, column = evidence.strongest()
    if evidence.shares[row, column] > 0:
        _frame(result, evidence, (row, column), corners)
    return result


def dark_around(photograph: Image.Image, outline: Corners) -> Image.Image:
    """Return a photograph (RGB) with a line around a part of it, on which nothing lies; beyond the line it is dark."""
    corners = [(round(x), round(y)) for x, y in outline]
    dark = photograph.point(lambda value: round(_DARK * value))
    width = max(1, round(max(photograph.size) / 400))
    ImageDraw.Draw(dark).line([*corners, *corners[:2]], "white", 2 * width, "curve")
    inside = Image.new("L", photograph.size)
    ImageDraw.Draw(inside).polygon(corners, fill=255)
    return Image.composite(photograph, dark, inside)


def _strength(evidence: EvidenceMap, corners: Pixels) -> Image.Image:
    """A grey picture of what was looked at, upright: of each place its `_STRENGTHS`."""
    upper_left, upper_right, _, lower_left = corners
    largest = float(np.abs(evidence.shares).max()) or 1.0
    of_cells = np.rint(_NEUTRAL + _NEUTRAL * evidence.shares / largest).astype(np.uint8)
    area = _length(upper_left, upper_right), _length(upper_left, lower_left)
    return Image.fromarray(of_cells).resize(area, Image.Resampling.BILINEAR)


def _laid(strength: Image.Image, corners: Pixels, size: tuple[int, int]) -> Image.Image:
    """What was looked at, where it is in a picture of a size."""
    upper_left, upper_right, _, lower_left = corners
    if _is_upright(corners):
        laid = Image.new("L", size, _NEUTRAL)
        laid.paste(strength, upper_left)
        return laid
    back = _affine(upper_left, upper_right, lower_left, strength.size)
    return strength.transform(size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR, fillcolor=_NEUTRAL)


def _is_upright(corners: Pixels) -> bool:
    upper_left, upper_right, lower_right, lower_left = corners
    return upper_left[1] == upper_right[1] and upper_left[0] == lower_left[0] and upper_left < lower_right


def _frame(picture: Image.Image, evidence: EvidenceMap, cell: tuple[int, int], corners: Pixels) -> None:
    width = max(1, round(max(picture.size) / 400))
    draw = ImageDraw.Draw(picture)
    upper_left, upper_right, lower_right, lower_left = corners
    if _is_upright(corners):
        box = cell_box(evidence, *cell, (*upper_left, *lower_right))
        outer = [edge + grow * width for edge, grow in zip(box, (-1, -1, 1, 1), strict=True)]
        draw.rectangle(outer, None, "white", width)
        draw.rectangle(box, None, DAMAGED, width)
        return
    left, top, right, bottom = cell_box(evidence, *cell, (0, 0, 1, 1))
    outline = [
        tuple(
            upper_left[axis]
            + across * (upper_right[axis] - upper_left[axis])
            + down * (lower_left[axis] - upper_left[axis])
            for axis in (0, 1)
        )
        for across, down in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]
    draw.polygon(outline, None, "white", 3 * width)
    draw.polygon(outline, None, DAMAGED, width)


def _length(start: tuple[float, float], end: tuple[float, float]) -> int:
    return max(1, round(math.dist(start, end)))


def _affine(
    origin: tuple[float, float], right: tuple[float, float], down: tuple[float, float], area: tuple[int, int]
) -> tuple[float, ...]:
    """From places in the picture to places in an area that lies on it, with one corner here and two others there."""
    onto = np.array([np.subtract(right, origin) / area[0], np.subtract(down, origin) / area[1]]).T
    # Of an area without width or height nothing is seen: it is given the one pixel that it has.
    back = np.linalg.inv(onto) if abs(np.linalg.det(onto)) > 1e-9 else np.eye(2)
    shift = -back @ np.array(origin)
    return tuple(map(float, (*back[0], shift[0], *back[1], shift[1])))


def cell_box(evidence: EvidenceMap, row: int, column: int, box: Box) -> Box:
    """Return where in a photograph a cell is, of a map over `box`."""
    rows, columns = evidence.shares.shape
    left, top, right, bottom = box
    width, height = (right - left) / columns, (bottom - top) / rows
    return left + column * width, top + row * height, left + (column + 1) * width, top + (row + 1) * height
