"""A map of evidence, and the few hundred bytes that it is kept in.

The photograph (or its region) lies below a grid; each cell has its share of the decision value. What is above zero
speaks for damage, what is below for intact. The shares and one constant add up to the decision value
(`worker.models.evidence` says how).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

MOST_CELLS: Final = 30
"""A side of the grid at most, so that the map of any network stays below 1 kB."""

_VERSION: Final = 1
_HEAD: Final = struct.Struct("<BBBff")
"""The version, rows, columns, the lowest share, and how much one step of a byte is."""

_STEPS: Final = 255


class EvidenceDamaged(ValueError):
    """Some bytes are no map of evidence."""


@dataclass(frozen=True, eq=False)
class EvidenceMap:
    """The shares (rows, columns), float64, of the cells of a photograph, or of its region."""

    shares: npt.NDArray[np.float64]

    def strongest(self) -> tuple[int, int]:
        """Return row and column of the cell that speaks for damage most."""
        row, column = np.unravel_index(int(self.shares.argmax()), self.shares.shape)
        return int(row), int(column)

    def packed(self) -> bytes:
        """Return the map with a byte for each share, compressed: each is off by half a step at most."""
        lowest, highest = float(self.shares.min()), float(self.shares.max())
        step = (highest - lowest) / _STEPS
        levels = np.zeros(self.shares.shape) if step == 0 else np.rint((self.shares - lowest) / step)
        head = _HEAD.pack(_VERSION, *self.shares.shape, lowest, step)
        return head + zlib.compress(levels.astype(np.uint8).tobytes(), 9)


def unpacked(data: bytes) -> EvidenceMap:
    """Return the map that `EvidenceMap.packed` made bytes of.

    Raises:
        EvidenceDamaged: they are no such bytes.
    """
    try:
        version, rows, columns, lowest, step = _HEAD.unpack_from(data)
        # Bounded: whatever the bytes are, they fill no memory.
        decompressor = zlib.decompressobj()
        levels = decompressor.decompress(data[_HEAD.size :], MOST_CELLS**2 + 1)
    except (struct.error, zlib.error) as error:
        raise EvidenceDamaged(f"this is no map of evidence: {error}") from None
    whole = decompressor.eof and rows * columns == len(levels) > 0 and bool(np.isfinite([lowest, step]).all())
    if version != _VERSION or not whole:
        raise EvidenceDamaged(f"this is no map of evidence of version {_VERSION}, or it is cut short")
    grid = np.frombuffer(levels, np.uint8).reshape(rows, columns)
    return EvidenceMap(lowest + step * grid.astype(np.float64))
