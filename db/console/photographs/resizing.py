"""From a photograph's file to a small JPEG: nothing that lies in the image store reaches a browser as it is."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from PIL import Image, ImageOps

from db.evidence.evidence_map import EvidenceMap
from db.evidence.overlay import dark_around, overlaid
from producer.contract.region import AnyRegion, Points, Polygon, Region, bounds, read_region
from producer.pictures.image_formats import FORMATS
from producer.pictures.limits import MAX_PIXELS

Size = Literal["small", "medium", "large"]
"""For a strip, for a page, and for a person's look at every detail."""

SIDES: Final[dict[Size, int]] = dict(zip(get_args(Size), (160, 640, 1600), strict=True))
"""Pixels of the longer side."""

# Each holds a whole photograph, so a page of thumbnails must not have as many at once as it has pictures.
_DECODERS: Final = threading.BoundedSemaphore(os.cpu_count() or 1)


class NotShown(ValueError):
    """A file that is no whole photograph of a kind that stations hand in."""


def resized(
    data: bytes, size: Size, region: Mapping[str, Any] | None = None, evidence: EvidenceMap | None = None
) -> bytes:
    """The picture of `shown` as a JPEG.

    Raises:
        NotShown: the photograph is damaged, cut short, too large, or of another format.
    """
    file = io.BytesIO()
    shown(data, size, region, evidence).save(file, "JPEG", quality=85)
    return file.getvalue()


def shown(
    data: bytes, size: Size, region: Mapping[str, Any] | None = None, evidence: EvidenceMap | None = None
) -> Image.Image:
    """A photograph of a size. Where it has a region, the small one shows that alone; in the others all around it is
    dark, so that a person answers for the right insert. The map of its verdict's evidence is drawn over the part that
    was looked at.

    Raises:
        NotShown: it is damaged, cut short, too large, or of another format.
    """
    side = SIDES[size]
    try:
        with _DECODERS, Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise NotShown(f"more than {MAX_PIXELS:,} pixels")
            part = None if region is None else read_region(region)
            alone = part is not None and size == "small"
            longer = max(image.size)
            if not alone:
                image.draft("RGB", (side, side))  # JPEG decodes to a fraction of its size in a fraction of the time
            upright = _in_colours(ImageOps.exif_transpose(image))
            left = top = 0
            if part is not None and alone:
                left, top, right, bottom = _box(part, upright)
                upright = upright.crop((left, top, right, bottom))
                longer = max(upright.size)
            upright.thumbnail((side, side))
            by = max(upright.size) / longer

            def there(outline: Points) -> list[tuple[float, float]]:
                return [((x - left) * by, (y - top) * by) for x, y in outline]

            if evidence is not None:
                whole = Region(left=0, top=0, width=upright.width, height=upright.height).corners()
                upright = overlaid(upright, evidence, whole if part is None else there(_seen(part)))
            return upright if part is None or alone else dark_around(upright, there(part.corners()))
    except (NotShown, MemoryError):
        raise
    except Exception as error:  # decoders raise almost anything at bytes that are not what they seem
        raise NotShown(str(error)) from error


def _in_colours(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits, of which the upper 8 are kept
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.mode == "F":
        raise NotShown("floating-point values have no known brightness")
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", colours.size, (0, 0, 0, 255)), colours).convert("RGB")
    return image.convert("RGB")


def _seen(part: AnyRegion) -> Points:
    """The outline of what a network was shown: of a polygon the box around it."""
    if not isinstance(part, Polygon):
        return part.corners()
    left, top, width, height = bounds(part)
    return Region(left=left, top=top, width=width, height=height).corners()


def _box(part: AnyRegion, image: Image.Image) -> tuple[int, int, int, int]:
    left, top, width, height = bounds(part)
    right, bottom = min(left + width, image.width), min(top + height, image.height)
    left, top = max(left, 0), max(top, 0)
    if left >= right or top >= bottom:
        raise NotShown("its region is not in it")
    return left, top, right, bottom
