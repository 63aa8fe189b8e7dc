"""A rectangle of one colour in a decoded image: a part of a sensor, or a tile, that never came.

Sensors are read by quarters and halves, and pictures are sent in tiles. What did not come is a rectangle whose sides
follow the lines of pixels exactly, for hundreds of them, with picture right beside it. No thing before a camera does: a
tenth of a degree, or a lens that is a pixel out of focus, and its edge leaves the line.

A part as wide or as high as the image is the concern of `producer.pictures.unfilled_rows`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image

from producer.pictures.lines import Array, changes

_CELLS: Final = 64
"""Cells that the longer side of an image is looked at by."""

_CELL: Final = 8
"""The least pixels of a side of a cell: nearer ones are often of one colour where a picture is smooth."""

_LEAST: Final = 1 / 32
"""The share of an image from which on a rectangle counts."""

_BESIDE: Final = 0.75
"""The share of the pixels right beside a side that must be of another colour, and of their neighbours among them."""

Box = tuple[int, int, int, int]


def lacks_rectangle(image: Image.Image) -> bool:
    """Whether a large rectangle of a loaded image has one colour, up to the very pixels of its sides.

    In a JPEG, at any size that it is decoded at, it does where its sides are between blocks: else these blur them.
    """
    width, height = image.size
    cell = max(_CELL, -(-max(height, width) // _CELLS))
    if min(height, width) < 4 * cell:
        return False
    plain, colours = _plain_cells(image, cell)
    if plain.mean() < _LEAST:  # of nearly all photographs
        return False
    kinds, number = np.unique(colours[plain], axis=0, return_counts=True)
    if number.max() < _LEAST * plain.size:
        return False
    colour = kinds[number.argmax()]
    left, top, right, bottom = largest_rectangle(plain & (colours == colour).all(axis=2))
    across, down = plain.shape[1], plain.shape[0]
    if (right - left) * (bottom - top) < _LEAST * plain.size or right - left == across or bottom - top == down:
        return False
    pixels = np.asarray(image).reshape(height, width, -1)
    box = _grown(pixels, colour, (left * cell, top * cell, right * cell, bottom * cell))
    sides = list(_beside(pixels, box))
    return len(sides) > 1 and all(_is_picture(line, colour) for line in sides)


def largest_rectangle(cells: Array) -> Box:
    """The largest rectangle of true cells: left, top, and right and bottom behind it; all 0 where there is none."""
    best, most = (0, 0, 0, 0), 0
    above = np.zeros(cells.shape[1] + 1, int)
    for row, line in enumerate(cells):
        above[:-1] = (above[:-1] + 1) * line
        begun: list[tuple[int, int]] = []  # where rectangles begin that are as high as that, ever higher
        for column, high in enumerate(above.tolist()):
            start = column
            while begun and begun[-1][1] >= high:
                start, height = begun.pop()
                if height * (column - start) > most:
                    most, best = height * (column - start), (start, row + 1 - height, column, row + 1)
            begun.append((start, high))
    return best


def _plain_cells(image: Image.Image, cell: int) -> tuple[Array, Array]:
    """Which cells (down, across) are of one colour, by three pixels of each, and the colour (down, across, colour)."""
    across, down = image.width // cell, image.height // cell
    right, bottom, off = across * cell, down * cell, cell // 2 - 1
    boxes = ((0, 0, right, bottom), (off, off, right, bottom), (0, off, right - off, bottom))
    some: list[Array] = [
        np.asarray(image.resize((across, down), Image.Resampling.NEAREST, box)).reshape(down, across, -1)
        for box in boxes
    ]
    return (some[1] == some[0]).all(axis=2) & (some[2] == some[0]).all(axis=2), some[0]


def _grown(pixels: Array, colour: Array, box: Box) -> Box:
    """A box of cells as far as its colour goes on in whole lines of pixels."""
    left, top, right, bottom = box
    height, width = pixels.shape[:2]

    def goes_on(line: Array) -> bool:
        return bool((line == colour).all())

    inside = slice(top + (bottom - top) // 4, bottom - (bottom - top) // 4)
    while left > 0 and goes_on(pixels[inside, left - 1]):
        left -= 1
    while right < width and goes_on(pixels[inside, right]):
        right += 1
    inside = slice(left + (right - left) // 4, right - (right - left) // 4)
    while top > 0 and goes_on(pixels[top - 1, inside]):
        top -= 1
    while bottom < height and goes_on(pixels[bottom, inside]):
        bottom += 1
    return left, top, right, bottom


def _beside(pixels: Array, box: Box) -> Iterator[Array]:
    """The lines of pixels right beside a box, but for sides that are the image's."""
    left, top, right, bottom = box
    if left > 0:
        yield pixels[top:bottom, left - 1]
    if right < pixels.shape[1]:
        yield pixels[top:bottom, right]
    if top > 0:
        yield pixels[top - 1, left:right]
    if bottom < pixels.shape[0]:
        yield pixels[bottom, left:right]


def _is_picture(line: Array, colour: Array) -> bool:
    return bool((line != colour).any(axis=1).mean() >= _BESIDE and changes(line) >= _BESIDE / 2)
