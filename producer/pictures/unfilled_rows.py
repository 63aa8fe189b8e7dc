"""Rows or columns of a decoded image that have one colour throughout: a bar that was drawn, or what was never filled.

A file, and the frame buffer of a camera, is filled pixel after pixel; what was not filled yet is zeros, 0xFF, another
byte, or what zeros of YUV are, green. Three things tell it from a bar, a border or a plain background:

- The filling ends within a row: the row has picture up to some pixel and the plain colour from there on, and beyond it
  rows have picture throughout. No drawn bar and no thing before a background ends so. A decoder of JPEG stops
  within a row of blocks, 8 or 16 pixels high. (`is_cut`)
- Bars come in pairs, at both ends.
- What is missing may end at a row all the same. Then nobody can tell it from a bar. (`plain_part`)
- The lower edge of an insert that was cut out on black may be level but for a pixel. Then it ends within a row too, but
  there is black at both its sides, where a camera's rows have picture. Nobody can tell that from a part that is
  missing of a cut-out either; what is uncompressed is still taken for cut.

An image may have been turned or mirrored since, so all four sides are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from producer.pictures.filling_colours import (
    is_decoders_own,
    is_filling,
    limits_of,
    nearly_filling,
    nearly_filling_between,
)
from producer.pictures.lines import changes, lines_of, of_one_colour, sampled, stretches
from producer.pictures.small_picture import Picture
from producer.runtime.arrays import AnyArray

_SAMPLED: Final = 4
_STEP: Final = 20
"""Rows that the last part of a cut image may be high: two blocks of a JPEG, and what its colours bleed."""

_NEAR: Final = 3
"""Pixels by which the end of each row of such a part may differ, in a JPEG."""

_BLURRED: Final = 2
"""Lines that the colours of a JPEG bleed into."""

_BLOCK: Final = 6
"""Lines that a step must have where its first ones are blurred: a block of a JPEG has 8, of which 2 may not be seen."""

_BLOCKS: Final = 40
"""Lines beside a plain part of a JPEG that may be neither: a row of blocks that was not finished, and ringing."""

_ALIKE: Final = 0.9
_UNLIKE: Final = 0.5
_SHARP: Final = 0.5
_ACROSS: Final = 0.5
_FULL: Final = 0.9
_SHARE: Final = 0.1
"""The least share of a row that must be picture, for a cut through it to be seen."""

_CONTRAST: Final = 12.0
"""The mean difference (0 to 255) to the plain colour at a cut: a dark area that fades to black, of which a JPEG makes
steps, has less."""

_NOISE: Final = 0.5
"""The share of a line's pixels that differ from the pixel before where it is picture: noise, of any brightness."""

_ALL_NOISE: Final = 0.75
"""The share of them that differ from the plain colour where picture begins. What fades to black, or is burnt out, has
few such pixels in its first line."""

_NARROW: Final = 1 / 64
"""The share of an image that may be missing: sensors have a few lines that are no picture."""

_BAR: Final = 1 / 8
"""The share of an image that a bar at one side may have."""

_DOUBTFUL_SHARE: Final = 1 / 2
"""The share of an image from which on one colour at one side is doubtful, whatever is beside it."""


@dataclass(frozen=True)
class Run:
    """Neighbouring lines of one colour, and whether they are rows."""

    start: int
    stop: int
    lines: int
    rows: bool
    colour: AnyArray

    def __str__(self) -> str:
        colour = ", ".join(str(value) for value in self.colour)
        return f"{'rows' if self.rows else 'columns'} {self.start} to {self.stop - 1} have one colour, {colour}"

    @property
    def size(self) -> int:
        """How many lines."""
        return self.stop - self.start

    @property
    def ends(self) -> list[bool]:
        """Its ends beside which there are lines: the first, False, and the last, True."""
        return [outwards for outwards, inside in ((False, self.start > 0), (True, self.stop < self.lines)) if inside]

    @property
    def is_at_an_end(self) -> bool:
        """Whether it reaches a side of the image."""
        return self.start == 0 or self.stop == self.lines


def is_cut(image: Image.Image, runs: Sequence[Run], *, raw: bool) -> bool:
    """Whether an image with these runs stops within a row: from there on it has one colour."""
    sides = ((run, outwards) for run in runs for outwards in (False, True))
    return any(_is_step(image, *side) and (raw or not _is_framed(image, *side)) for side in sides)


def is_uncompressed(image: Image.Image) -> bool:
    """Whether an opened image's file has its pixels as they are: what was never written is pixels too."""
    return image.format == "BMP" or (image.format == "TIFF" and image.info.get("compression") == "raw")


def plain_part(image: Image.Image, runs: Sequence[Run], *, raw: bool) -> Run | None:
    """The run of which only who knows the camera can tell whether it is a bar or something is missing; None without.

    A bar of up to an eighth of the image is taken for one, in a format that says where its data end; not where it has
    the colour that decoders leave where data are missing. `raw` says that the format is none of these: an
    uncompressed file with room that was never filled is as long as a whole one. What stops within a row before a part
    of its colour, and is not cut, is such a part too.
    """
    opaque = sum(band not in "AX" for band in image.getbands())
    for run in runs:
        colour = run.colour[:opaque]
        twins = [
            other.size
            for other in runs
            if other is not run
            and run.is_at_an_end
            and other.is_at_an_end
            and other.rows == run.rows
            and (other.colour == run.colour).all()
        ]
        more = run.size - max(twins, default=0)
        doubtful = more > run.lines * _BAR or (
            more > run.lines * _NARROW and not twins and (raw or is_decoders_own(colour) or not run.is_at_an_end)
        )
        if (
            (more > run.lines * _DOUBTFUL_SHARE and (raw or is_filling(colour)))
            or (doubtful and all(_ends_abruptly(image, run, outwards, raw) for outwards in run.ends))
            or any(_is_step(image, run, outwards) for outwards in run.ends)
        ):
            return run
    return None


def plain_runs(image: Image.Image) -> list[Run]:
    """The runs of at least two rows, or columns, of one colour in a loaded image, where nothing may have been written.

    What is not filled has any colour: a byte throughout or several, which may be the number of a colour in a palette,
    or what a driver or a debugger fills its buffers with, 0xCD, 0xAA, 0x55. An image that is all one is left out.
    """
    few = ((rows, sampled(image, rows, _SAMPLED)) for rows in (True, False))
    return [
        run for rows, lines in few for run in _runs(image, rows, lines, of_one_colour(lines)) if run.size < run.lines
    ]


def may_have_runs(reduced: Picture) -> bool:
    """Whether an image may have `plain_runs`, of a JPEG and as high as its blocks, seen at a fraction of its size.

    Lines are looked for of which every pixel is nearly a colour of fillings, as rounding makes up to two levels, and
    parts of any one colour that are large enough to be doubted: blocks that are equal stay equal at any size.
    """
    few = np.concatenate([sampled(reduced, rows, _SAMPLED) for rows in (True, False)])
    height = reduced.height
    least, most = limits_of(few)
    for line in np.flatnonzero(nearly_filling_between(least, most)).tolist():
        seen = (line, True) if line < height else (line - height, False)
        if nearly_filling(lines_of(reduced, seen[0], seen[0] + 1, seen[1])).all():  # in full: hardly any line gets here
            return True
    plain = (least == most).all(axis=0)
    return any(
        run.size > run.lines * _BAR - 1
        for rows, some in ((True, slice(height)), (False, slice(height, None)))
        for run in _runs(reduced, rows, few[some], plain[some])
    )


def _runs(image: Picture, rows: bool, few: AnyArray, plain: AnyArray) -> Iterator[Run]:
    """The runs of rows, or of columns, of which a `few` pixels are given, and whether these are of one colour."""
    for start, stop in _stretches(plain, few[:, 0]):
        # Seen in full only now: hardly any line gets here.
        full = lines_of(image, start, stop, rows)
        for a, b in _stretches(of_one_colour(full), full[:, 0]):
            yield Run(start + a, start + b, len(few), rows, full[a, 0])


def _stretches(plain: AnyArray, colours: AnyArray) -> list[tuple[int, int]]:
    """Where at least two neighbours are plain and of one colour."""
    same = plain[1:] & plain[:-1]
    if not same.any():
        return []
    same &= (colours[1:] == colours[:-1]).all(axis=1)
    return [(start, stop + 1) for start, stop in stretches(same)]


def _is_step(image: Image.Image, run: Run, outwards: bool) -> bool:
    """Whether beside a run stands a line that is picture up to some pixel, and behind it lines that are throughout."""
    beside = _beside(image, run, outwards, _BLURRED + _STEP + 3)
    differs, by = _differences(beside, run.colour)
    # The nearest lines may have no more than the colours that bled into them. Then it was a JPEG, and stops at a block:
    # what ends sooner is the curve of a thing before a plain background.
    return any(
        _stops(differs[blurred:, ::side], by[blurred:, ::side], _BLOCK - blurred if blurred else 1)
        for blurred in range(_BLURRED + 1)
        for side in (1, -1)
        if len(differs) >= blurred + 4
    )


def _is_framed(image: Image.Image, run: Run, outwards: bool) -> bool:
    """Whether the lines beside a black run are black at both their ends too, as beside an insert that was cut out."""
    differs, _ = _differences(_beside(image, run, outwards, _BLOCKS), run.colour)
    margin = max(_NEAR, math.ceil(_NARROW * differs.shape[1]))
    return not (run.colour.any() or differs[:, :margin].any() or differs[:, -margin:].any())


def _stops(differs: AnyArray, by: AnyArray, least: int) -> bool:
    """Whether the first line, and those of its height, stop at some pixel, and the lines behind it do not.

    Args:
        differs: which pixels (line, pixel) are picture.
        by: how much they differ from the plain colour.
        least: how many lines must stop there.
    """
    width = differs.shape[1]
    ends = np.where(differs.any(axis=1), width - np.argmax(differs[:, ::-1], axis=1), 0)
    end = int(ends[0])
    if not 0 < end <= width - max(_NEAR, width * _NARROW):
        return False
    further = np.flatnonzero(ends > end + _NEAR)
    if not len(further) or not least <= further[0] <= _STEP or (abs(ends[: further[0]] - end) > _NEAR).any():
        return False
    # The line that comes next may be blurred by the cut; the two after that are not.
    behind = slice(further[0] + 1, further[0] + 3)
    if len(differs[behind]) < 2:
        return False
    # A row that stops is much like the next one. What is written in a bar is not.
    if np.abs(by[0, :end] - by[behind.start, :end]).mean() > _UNLIKE * by[behind.start, :end].mean():
        return False
    left, right = (half[behind].sum(axis=1) for half in (differs[:, :end], differs[:, end:]))
    seen, much = differs[0, :end].sum(), by[0, :end].sum()
    # Blocks make steps of a curve before a plain background: small ones, and not all across the image.
    across = seen >= _ACROSS * end and right[0] >= _ACROSS * (width - end)
    if further[0] > 1 and not across and right[0] < _BAR * width:
        return False
    return bool(
        seen >= _ALIKE * left.max()
        and right[0] >= max(_NEAR, width * _NARROW, _ALIKE * right.max())
        and seen + right[0] >= _SHARE * width
        # What rings beside an edge in a JPEG differs little from the plain colour, the picture as much as behind.
        and much >= _SHARP * by[behind, :end].sum(axis=1).min()
        and much + by[behind][0, end:].sum() >= _CONTRAST * (seen + right[0])
    )


def _ends_abruptly(image: Image.Image, run: Run, outwards: bool, raw: bool) -> bool:
    """Whether there is picture beside a run: all across the image, or sharper than the edge of any thing."""
    beside = _beside(image, run, outwards, _BLOCKS)
    if len(beside) < 4:
        return False
    differs, by = _differences(beside, run.colour)
    nearest = 0 if raw else min(_STEP, len(beside) - 1)
    if differs[nearest].mean() >= _ALL_NOISE and changes(beside[nearest]) >= _NOISE:
        return True
    if differs[-1].mean() >= _FULL and by[-1].mean() >= _CONTRAST:
        return True
    seen, much = differs[:4].sum(axis=1), by[:4].sum(axis=1)
    return raw and bool(
        seen[0] >= max(_SHARE * differs.shape[1], _ALIKE * seen[-1])
        and much[0] >= max(_CONTRAST * seen[0], 0.8 * much[-1])
    )


def _beside(image: Image.Image, run: Run, outwards: bool, number: int) -> AnyArray:
    """Up to a number of lines beside a run, before or (`outwards`) behind it, the nearest first."""
    if outwards:
        return lines_of(image, run.stop, min(run.stop + number, run.lines), run.rows)
    return lines_of(image, max(run.start - number, 0), run.start, run.rows)[::-1]


def _differences(lines: AnyArray, colour: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Which pixels (line, pixel) have another colour, and by how much in the mean of the colours."""
    by = np.abs(lines.astype(np.int32) - colour.astype(np.int32))
    return np.asarray(by.any(axis=2)), by.mean(axis=2)
