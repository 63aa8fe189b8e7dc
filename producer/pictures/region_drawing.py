"""Draws over a photograph what of it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from producer.contract.region import AnyRegion, Edge

_COLOURS: Final = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2")
"""Told apart with colour blindness, too (Okabe and Ito 2008)."""

_OUTSIDE: Final = "#1a1a1a"


def drawn(photograph: Image.Image, full_size: tuple[int, int], regions: Sequence[tuple[str, AnyRegion]]) -> Image.Image:
    """Return a photograph with the outline of each region and its name.

    Of an edge the line itself is drawn too, with a dot at its first point, which is on the left in the strip.

    Args:
        photograph: upright, perhaps reduced.
        full_size: its width and height in full, which the regions are in pixels of.
        regions: each with its name.
    """
    result = photograph.copy()
    draw = ImageDraw.Draw(result)
    by = result.width / full_size[0], result.height / full_size[1]
    thick = max(2, round(max(result.size) / 400))
    font = ImageFont.load_default(max(12, round(max(result.size) / 50)))
    for number, (name, region) in enumerate(regions):
        colour = _COLOURS[number % len(_COLOURS)]
        outline = [(x * by[0], y * by[1]) for x, y in region.corners()]
        for width, ink in ((3 * thick, _OUTSIDE), (thick, colour)):
            draw.line([*outline, *outline[:2]], ink, width, "curve")
        if isinstance(region, Edge):
            start, end = (region.x1 * by[0], region.y1 * by[1]), (region.x2 * by[0], region.y2 * by[1])
            for width, ink in ((3 * thick, _OUTSIDE), (2 * thick, colour)):
                draw.line([start, end], ink, width)
            draw.circle(start, 4 * thick, colour, _OUTSIDE, thick)
        _name(draw, font, name, colour, outline[0], result.size)
    return result


def _name(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    name: str,
    colour: str,
    at: tuple[float, float],
    size: tuple[int, int],
) -> None:
    """Write a name at a region's first corner, as far inside the picture as it needs to be."""
    left, top, right, bottom = draw.textbbox((0, 0), name, font)
    width, height = right - left + 8, bottom - top + 8
    x, y = max(0, min(at[0], size[0] - width)), max(0, min(at[1], size[1] - height))
    draw.rectangle([x, y, x + width, y + height], colour, _OUTSIDE)
    draw.text((x + 4 - left, y + 4 - top), name, _OUTSIDE, font)
