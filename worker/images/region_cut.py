"""What is taken of a photograph: a box, the inside of a polygon, or the levelled strip along an edge.

A box is brought to the network's size as it is. So is the box around a polygon, and what is outside the polygon is then
black. A strip is turned until its edge is level, in pixels no larger than the photograph's and no fewer than the
network takes, so that a small one is enlarged at once and a large one keeps its pixels until they are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from PIL import Image, ImageChops, ImageDraw

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Template
from producer.contract.region import AnyRegion, Edge, Polygon, Region, bounds, read_region
from producer.pictures.limits import MAX_PROPORTION, MIN_SIDE
from worker.images.unusable_error import UnusableImage

Box = tuple[int, int, int, int]
"""Left, top, width and height."""

Cut = Box | Polygon | Edge
"""What is taken of an upright image."""


class StripSize(tuple[int, int]):
    """The height and width of what a network takes that looks along the edge of a cut-out, found in each photograph.

    A photograph, or a box of it, that is decoded to this size becomes the strip along its lower contour.
    """


MIN_ACROSS: Final = 16
"""Pixels of a strip across its edge, of which wear takes the most: an edge that fills them is seen well enough."""

_FINER: Final = 4
"""Each pixel of a polygon's mask is drawn as so many a side, so that its border is no staircase."""


def cut_of(region: AnyRegion | None) -> Cut | None:
    """What a capture's event says is taken of its photograph; None for all of it."""
    return bounds(region) if isinstance(region, Region) else region


def stored_cut(region: Mapping[str, Any] | None) -> Cut | None:
    """What is taken of a photograph whose capture keeps this region; None for all of it.

    Raises:
        ValueError: it is no region.
    """
    return None if region is None else cut_of(read_region(region))


def box_of(cut: Cut) -> Box:
    """The box of whole pixels around what is taken."""
    return cut if isinstance(cut, tuple) else bounds(cut)


def extent_of(cut: Cut) -> tuple[int, int]:
    """Width and height of what is taken, of a strip those that it has when it is level."""
    return (round(cut.length), cut.height) if isinstance(cut, Edge) else box_of(cut)[2:]


def check_image_size(width: int, height: int) -> None:
    """Refuse an image that is too small to see an insert in, or of no insert's proportions."""
    _check_size(width, height, image_files.IMAGE_TOO_SMALL, image_files.IMAGE_TOO_LONG)


def _check_size(width: int, height: int, too_small: Template, too_long: Template) -> None:
    shorter, longer = sorted((width, height))
    if shorter < MIN_SIDE:
        raise UnusableImage(too_small(width=width, height=height, least=MIN_SIDE))
    if longer > MAX_PROPORTION * shorter:
        raise UnusableImage(too_long(width=width, height=height, most=MAX_PROPORTION))


def check_cut(cut: Cut, image_size: tuple[int, int]) -> None:
    """Refuse what is not inside an image of this width and height, or too small.

    Raises:
        UnusableImage: it is.
    """
    left, top, width, height = box_of(cut)
    inside = left >= 0 and top >= 0 and left + width <= image_size[0] and top + height <= image_size[1]
    if not inside or width < 1 or height < 1:
        outside = image_files.STRIP_OUTSIDE if isinstance(cut, Edge) else image_files.REGION_OUTSIDE
        place = {"width": width, "height": height, "left": left, "top": top}
        raise UnusableImage(outside(**place, all_width=image_size[0], all_height=image_size[1]))
    if not isinstance(cut, Edge):
        _check_size(width, height, image_files.REGION_TOO_SMALL, image_files.REGION_TOO_LONG)
    elif cut.length < MIN_SIDE or cut.height < MIN_ACROSS:
        size = {"length": round(cut.length), "height": cut.height}
        raise UnusableImage(image_files.STRIP_TOO_SMALL(**size, along=MIN_SIDE, across=MIN_ACROSS))


def levelled(
    image: Image.Image, edge: Edge, size: tuple[int, int], scale: float = 1.0, origin: tuple[float, float] = (0.0, 0.0)
) -> Image.Image:
    """Return the strip along an edge, level.

    It has the pixels of `image`, but at least those that the network takes: it is turned and enlarged in one step.
    Bilinear: bicubic took 3 ms more and judged no better.

    Args:
        image: the upright photograph, perhaps reduced.
        edge: in pixels of the whole photograph.
        size: height and width that the network takes.
        scale: pixels of `image` for one of the photograph.
        origin: where in `image` the photograph's upper left corner is.
    """
    (left, top), (right, right_top), _, (foot, foot_bottom) = (
        (x * scale + origin[0], y * scale + origin[1]) for x, y in edge.corners()
    )
    width, height = max(round(edge.length * scale), size[1]), max(round(edge.height * scale), size[0])
    along = (right - left) / width, (right_top - top) / width
    down = (foot - left) / height, (foot_bottom - top) / height
    coefficients = (along[0], down[0], left, along[1], down[1], top)
    return image.transform((width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)


def masked(image: Image.Image, polygon: Polygon) -> Image.Image:
    """Return the box around a polygon, of any size, with black where the polygon is not."""
    left, top, width, height = bounds(polygon)
    by = image.width * _FINER / width, image.height * _FINER / height
    mask = Image.new("L", (image.width * _FINER, image.height * _FINER))
    # A pixel is drawn where a corner is in the middle of it: half a pixel from where corners of pixels are.
    corners = [((x - left) * by[0] - 0.5, (y - top) * by[1] - 0.5) for x, y in polygon.polygon]
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    inside = mask.resize(image.size, Image.Resampling.BOX)
    return ImageChops.multiply(image, Image.merge("RGB", [inside] * 3))
