"""Charts as PNG, drawn with Pillow: axes with ticks, lines, bars, points, a legend, and tables of counts.

It covers just what the evaluation needs, so that workers carry no plotting library. Everything is drawn three times as
large and then scaled down, which smooths the edges.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Limits = tuple[float, float]
Mark = Literal["line", "dashes", "points", "bar"]
Corner = Literal["lower right", "lower left", "upper left"]

WIDTH: Final = 760
HEIGHT: Final = 560
"""Size of a plot in pixels."""

PALETTE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that people with colour blindness tell apart (Okabe and Ito 2008)."""
GREY: Final = "#777777"

_INK = "#222222"
_GRID = "#e4e4e4"
_SCALE = 3
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 28, 56, 76
_CELL = 112


class Plot:
    """A pair of axes over the ranges `x` and `y`, to be drawn into and then had as `png`.

    `x_ticks` are the places on the x axis that are named; without them they have round figures, like the y axis.
    """

    def __init__(
        self,
        title: str,
        x_label: str,
        y_label: str,
        *,
        x: Limits = (0.0, 1.0),
        y: Limits = (0.0, 1.0),
        x_ticks: Sequence[tuple[float, str]] | None = None,
    ) -> None:
        self._x, self._y = x, y
        self._legend: list[tuple[str, str, Mark]] = []
        self._image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), "white")
        self._draw = ImageDraw.Draw(self._image)
        self._axes(x_ticks or _round_ticks(x))
        _text(self._draw, (WIDTH / 2, 26), title, 19, "mm")
        _text(self._draw, ((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 24), x_label, 15, "mm")
        self._upright(y_label)

    def line(self, points: Sequence[Point], colour: str, name: str | None = None, *, dashed: bool = False) -> None:
        """Join `points` in their order; `name` puts the line into the legend."""
        places = [self._place(point) for point in points]
        for start, end in pairwise(places):
            if dashed:
                self._dashes(start, end, colour)
            else:
                self._draw.line([start, end], fill=colour, width=2 * _SCALE)
        self._name(name, colour, "dashes" if dashed else "line")

    def points(self, points: Sequence[Point], colour: str, name: str | None = None) -> None:
        """Draw a dot at each of `points`."""
        for point in points:
            x, y = self._place(point)
            half = 4.5 * _SCALE
            self._draw.ellipse([x - half, y - half, x + half, y + half], fill=colour)
        self._name(name, colour, "points")

    def bars(self, bars: Sequence[tuple[float, float, float]], colour: str, name: str | None = None) -> None:
        """Draw bars from the bottom, each given by its left end, its right end and its height."""
        for left, right, height in bars:
            x0, y0 = self._place((left, height))
            x1, y1 = self._place((right, self._y[0]))
            self._draw.rectangle([x0 + _SCALE, min(y0, y1), x1 - _SCALE, y1], fill=colour)
        self._name(name, colour, "bar")

    def png(self, legend: Corner = "lower right") -> bytes:
        """Return the chart, with its legend in that corner."""
        if self._legend:
            self._draw_legend(legend)
        return _encoded(self._image)

    def _place(self, point: Point) -> Point:
        """Where a point of the axes' ranges lies in the enlarged image."""
        (left, right), (bottom, top) = self._x, self._y
        x = _LEFT + (point[0] - left) / (right - left) * (WIDTH - _LEFT - _RIGHT)
        y = HEIGHT - _BOTTOM - (point[1] - bottom) / (top - bottom) * (HEIGHT - _TOP - _BOTTOM)
        return x * _SCALE, y * _SCALE

    def _axes(self, x_ticks: Sequence[tuple[float, str]]) -> None:
        left, top = self._place((self._x[0], self._y[1]))
        right, bottom = self._place((self._x[1], self._y[0]))
        for value, name in x_ticks:
            x, _ = self._place((value, self._y[0]))
            self._draw.line([(x, top), (x, bottom)], fill=_GRID, width=_SCALE)
            _text(self._draw, (x / _SCALE, bottom / _SCALE + 9), name, 13, "ma")
        for value, name in _round_ticks(self._y):
            _, y = self._place((self._x[0], value))
            self._draw.line([(left, y), (right, y)], fill=_GRID, width=_SCALE)
            _text(self._draw, (left / _SCALE - 9, y / _SCALE), name, 13, "rm")
        self._draw.rectangle([left, top, right, bottom], outline=_INK, width=_SCALE)

    def _upright(self, text: str) -> None:
        strip = Image.new("RGB", ((HEIGHT - _TOP - _BOTTOM) * _SCALE, 26 * _SCALE), "white")
        _text(ImageDraw.Draw(strip), ((HEIGHT - _TOP - _BOTTOM) / 2, 13), text, 15, "mm")
        self._image.paste(strip.rotate(90, expand=True), (8 * _SCALE, _TOP * _SCALE))

    def _dashes(self, start: Point, end: Point, colour: str) -> None:
        length = max(1e-9, ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5)
        step = (end[0] - start[0]) / length, (end[1] - start[1]) / length
        for begun in range(0, int(length), 12 * _SCALE):
            stop = min(begun + 7 * _SCALE, length)
            ends = [(start[0] + step[0] * at, start[1] + step[1] * at) for at in (begun, stop)]
            self._draw.line(ends, fill=colour, width=2 * _SCALE)

    def _name(self, name: str | None, colour: str, mark: Mark) -> None:
        if name is not None:
            self._legend.append((name, colour, mark))

    def _draw_legend(self, corner: Corner) -> None:
        width = 52 + max(_font(13).getlength(name) for name, _, _ in self._legend) / _SCALE
        height = 14 + 22 * len(self._legend)
        left = _LEFT + 12 if corner.endswith("left") else WIDTH - _RIGHT - 12 - width
        top = _TOP + 12 if corner.startswith("upper") else HEIGHT - _BOTTOM - 12 - height
        box = [value * _SCALE for value in (left, top, left + width, top + height)]
        self._draw.rectangle(box, fill="white", outline=_GRID, width=_SCALE)
        for number, (name, colour, mark) in enumerate(self._legend):
            y = top + 18 + 22 * number
            ends = [((left + 10) * _SCALE, y * _SCALE), ((left + 36) * _SCALE, y * _SCALE)]
            if mark == "line":
                self._draw.line(ends, fill=colour, width=2 * _SCALE)
            elif mark == "dashes":
                self._dashes(ends[0], ends[1], colour)
            else:
                x, half = (left + 23) * _SCALE, 5 * _SCALE
                shape = self._draw.ellipse if mark == "points" else self._draw.rectangle
                shape([x - half, y * _SCALE - half, x + half, y * _SCALE + half], fill=colour)
            _text(self._draw, (left + 44, y), name, 13, "lm")


def tables(title: str, named: Sequence[tuple[str, Sequence[Sequence[int]]]], classes: Sequence[str]) -> bytes:
    """Confusion matrices (k, k) side by side, each under its name: row the truth, column the answer, darker is more.

    Each cell has its count and its share of the row.
    """
    side = _CELL * len(classes)
    pitch = side + 120
    width, height = 40 + pitch * len(named), side + 156
    image = Image.new("RGB", (width * _SCALE, height * _SCALE), "white")
    draw = ImageDraw.Draw(image)
    _text(draw, (width / 2, 26), title, 19, "mm")
    for number, (name, matrix) in enumerate(named):
        left, top = 110 + pitch * number, 136
        _text(draw, (left + side / 2, 64), name, 15, "mm")
        _text(draw, (left + side / 2, 98), "answer", 13, "mm", GREY)
        for row, (truth, counts) in enumerate(zip(classes, matrix, strict=True)):
            _text(draw, (left - 10, top + _CELL * (row + 0.5)), f"{truth}", 13, "rm")
            _text(draw, (left + _CELL * (row + 0.5), top - 14), truth, 13, "mm")
            for column, count in enumerate(counts):
                share = count / sum(counts) if sum(counts) else 0.0
                x, y = left + _CELL * column, top + _CELL * row
                box = [value * _SCALE for value in (x, y, x + _CELL, y + _CELL)]
                draw.rectangle(box, fill=_shade(share), outline="white", width=2 * _SCALE)
                colour = "white" if share > 0.5 else _INK
                _text(draw, (x + _CELL / 2, y + _CELL / 2 - 10), f"{count:,}", 19, "mm", colour)
                _text(draw, (x + _CELL / 2, y + _CELL / 2 + 16), f"{share:.1%}", 13, "mm", colour)
        _text(draw, (left - 10, top - 14), "truth", 13, "rm", GREY)
    return _encoded(image)


def _shade(share: float) -> tuple[int, int, int]:
    """White at 0 to the first colour of the palette at 1."""
    red, green, blue = (int(PALETTE[0][at : at + 2], 16) for at in (1, 3, 5))
    return round(255 - share * (255 - red)), round(255 - share * (255 - green)), round(255 - share * (255 - blue))


def _round_ticks(limits: Limits) -> list[tuple[float, str]]:
    """Round figures within the limits, six to eleven of them, and how each is written."""
    low, high = limits
    magnitude = 10.0 ** math.floor(math.log10((high - low) / 10))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if (high - low) / (factor * magnitude) <= 10.001)
    numbers = range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1)
    return [(number * step, f"{number * step:.6g}") for number in numbers]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * _SCALE)


def _text(draw: ImageDraw.ImageDraw, at: Point, text: str, size: int, anchor: str, colour: str = _INK) -> None:
    """Text at a place given in pixels of the finished figure."""
    draw.text((at[0] * _SCALE, at[1] * _SCALE), text, fill=colour, font=_font(size), anchor=anchor)


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.resize((image.width // _SCALE, image.height // _SCALE), Image.Resampling.LANCZOS).save(file, "PNG")
    return file.getvalue()
