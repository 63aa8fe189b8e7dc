"""The picture of `insert-worker explain --neighbours`: the photograph, and below it those that are nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from db.console.photographs.resizing import SIDES, NotShown, shown
from producer.pictures.limits import MAX_IMAGE_BYTES
from producer.storage.captured_image import captured_image
from producer.storage.store import ImageMissing, ImageStore
from worker.learning.neighbours import NEAREST, Neighbour
from worker.models.line_model import LINE_CLASSES

_SIDE: Final = SIDES["small"]
_GAP: Final = 12
_CAPTION: Final = 22
_INK: Final = "#222222"


def with_row(photograph: Image.Image, neighbours: Sequence[Neighbour], images: ImageStore) -> Image.Image:
    """Return a picture with its neighbours in a row below, intact on the left and damaged on the right."""
    needed = 2 * NEAREST * (_SIDE + _GAP) + _GAP
    width = max(photograph.width, needed)
    sheet = Image.new("RGB", (width, photograph.height + _GAP + _CAPTION + _SIDE + _CAPTION + _GAP), "white")
    sheet.paste(photograph, ((width - photograph.width) // 2, 0))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    top = photograph.height + _GAP
    for side, name in enumerate(LINE_CLASSES):
        left = (width - needed) // 2 + _GAP + side * NEAREST * (_SIDE + _GAP)
        draw.text((left, top), f"nearest learnt {name}", _INK, font)
        for number, neighbour in enumerate(near for near in neighbours if near.side == name):
            place = left + number * (_SIDE + _GAP), top + _CAPTION
            sheet.paste(_small(neighbour, images), place)
            caption = f"{neighbour.item.label}, {neighbour.distance:.1f}"
            draw.text((place[0], place[1] + _SIDE + 2), caption, _INK, font)
    return sheet


def _small(neighbour: Neighbour, images: ImageStore) -> Image.Image:
    """Its photograph, or an empty square where that is gone."""
    square = Image.new("RGB", (_SIDE, _SIDE), "#dddddd")
    item = neighbour.item
    try:
        small = shown(captured_image(images, item.image, item.image_sha256, MAX_IMAGE_BYTES), "small", item.region)
    except (ImageMissing, NotShown, ValueError, OSError):
        return square
    square.paste(small, ((_SIDE - small.width) // 2, (_SIDE - small.height) // 2))
    return square
