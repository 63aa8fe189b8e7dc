"""A map of evidence over its photograph: orange speaks for damage, blue for intact, the stronger the denser."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from db.evidence.evidence_map import EvidenceMap

DAMAGED: Final = (0xD5, 0x5E, 0x00)
INTACT: Final = (0x00, 0x72, 0xB2)
"""Colours that people with colour blindness tell apart (Okabe and Ito 2008)."""

_DENSEST: Final = 0.75
"""How much of the photograph the strongest place hides."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


def overlaid(photograph: Image.Image, evidence: EvidenceMap, box: Box) -> Image.Image:
    """Return a photograph (RGB) with the map over the part of it that was looked at.

    The cell that speaks for damage most has a frame; where none does there is none.
    """
    left, top, right, bottom = (round(edge) for edge in box)
    area = max(1, right - left), max(1, bottom - top)
    largest = float(np.abs(evidence.shares).max()) or 1.0
    strength = np.asarray(
        Image.fromarray((evidence.shares / largest).astype(np.float32)).resize(area, Image.Resampling.BILINEAR)
    )
    result = photograph.copy()
    for colour, share in ((DAMAGED, strength), (INTACT, -strength)):
        density = np.rint(255 * _DENSEST * np.maximum(share, 0)).astype(np.uint8)
        result.paste(colour, (left, top), Image.fromarray(density))
    row, column = evidence.strongest()
    if evidence.shares[row, column] > 0:
        cell = cell_box(evidence, row, column, (left, top, left + area[0], top + area[1]))
        width = max(1, round(max(photograph.size) / 400))
        draw = ImageDraw.Draw(result)
        draw.rectangle(
            [edge + grow * width for edge, grow in zip(cell, (-1, -1, 1, 1), strict=True)], None, "white", width
        )
        draw.rectangle(cell, None, DAMAGED, width)
    return result


def cell_box(evidence: EvidenceMap, row: int, column: int, box: Box) -> Box:
    """Return where in a photograph a cell is, of a map over `box`."""
    rows, columns = evidence.shares.shape
    left, top, right, bottom = box
    width, height = (right - left) / columns, (bottom - top) / rows
    return left + column * width, top + row * height, left + (column + 1) * width, top + (row + 1) * height
