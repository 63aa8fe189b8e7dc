"""The structure of a JPEG (ITU-T T.81): its frame, its scans and where it ends, read in one pass over its markers.

Decoders hide what is missing. They fill it with grey, or go on with the next part that they find, so what is there is
compared with what the headers promise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import ceil
from typing import Final

import numpy as np

from producer.contract.reasons import image_files
from producer.contract.reasons.template import Reason
from producer.pictures.patterns import periods

_MARKER: Final = re.compile(rb"\xff(?=[^\x00\x01\xd0-\xd8\xff])")
"""A marker that ends the image or has a length: none of TEM, RST0 to RST7 and SOI (table B.1), and neither a byte FF
of entropy-coded data (FF 00) nor a fill byte before a marker."""

_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")
_EOI, _SOS, _DRI, _DHT = 0xD9, 0xDA, 0xDD, 0xC4
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame, which tells how large the image is."""

_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FIRST_ARITHMETIC: Final = 0xC9
_COEFFICIENTS: Final = 64
_NEVER_SENT: Final = 99

_MOST_SEGMENTS: Final = 100_000
"""More would take seconds, and no camera writes them."""

_USUAL_CODES: Final = bytes.fromhex("0002010303020403050504040000017d")
"""How many Huffman codes of each length the usual table of brightness has (table K.5)."""

_REPEATED: Final = 32
"""Equal bytes in a row, at a multiple of their number, from which on they may be what was never written."""

_BLOCK: Final = 128
"""Bytes that repeat a pattern, at a multiple of their number, from which on they may be that."""


@dataclass(frozen=True)
class Scan:
    """One scan: what it brings, and where its entropy-coded data begin and end in the file.

    One that refines DC coefficients has one bit for each, whatever it is, and its zeros say nothing. `repeats` are the
    bytes that it repeats: of a flat area, a pattern of equal blocks, or what was never written.
    """

    brings_dc: bool
    refines_dc: bool
    begins: int
    ends: int
    repeats: frozenset[int]


@dataclass
class JpegStructure:
    """What the headers promise and what the scans bring.

    `sent` has, for each component, the lowest bit that was sent of each coefficient. `end` is where the image ends, in
    bytes from the beginning with its end marker, or None where it lacks one. `problem` says what is missing, or None.
    """

    size: tuple[int, int] = (0, 0)
    progressive: bool = False
    arithmetic: bool = False
    usual_codes: bool = False
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    sent: dict[int, list[int]] = field(default_factory=dict)
    restart_interval: int = 0
    scans: list[Scan] = field(default_factory=list)
    end: int | None = None
    problem: Reason | None = None

    @classmethod
    def of(cls, data: bytes) -> JpegStructure:
        """Read the structure of a JPEG, of a file of several images (MPO) that of the first."""
        jpeg = cls()
        try:
            jpeg._read(data)
        except (IndexError, KeyError, ValueError):
            jpeg.problem = jpeg.problem or image_files.JPEG_SEGMENT()
        if jpeg.end is None:
            jpeg.problem = image_files.JPEG_ENDS()
        elif jpeg.problem is None and any(any(bits) for bits in jpeg.sent.values()):
            jpeg.problem = image_files.JPEG_SCANS()
        elif jpeg.problem is None and jpeg._has_zeros():
            jpeg.problem = image_files.JPEG_NOT_WRITTEN()
        return jpeg

    def restarts(self, data: bytes, scan: Scan) -> list[int]:
        """Where the parts of a scan end, in bytes from the beginning, but for the last: at its restart markers."""
        if not self.restart_interval:
            return []
        return [marker.start() for marker in _RESTART.finditer(data, scan.begins, scan.ends)]

    def has_pattern(self, data: bytes, scan: Scan) -> bool:
        """Whether a scan repeats a few bytes, or one: a flat area does, and what was filled before it was written."""
        if scan.refines_dc:
            return False
        return bool(periods(np.frombuffer(data, np.uint8, scan.ends - scan.begins, scan.begins), _BLOCK).any())

    def _has_zeros(self) -> bool:
        """Whether a scan has zeros where not even a flat area makes them.

        It does with codes that were made for one image alone: they give a flat area the shortest, which are zeros.
        """
        usual = self.usual_codes and not self.progressive
        return any((usual or not scan.brings_dc) and 0 in scan.repeats for scan in self.scans)

    def _read(self, data: bytes) -> None:
        at = 2
        malformed: Exception | None = None
        for _ in range(_MOST_SEGMENTS):
            marker = _MARKER.search(data, at)
            if marker is None or marker.end() >= len(data):
                return
            at = marker.end() + 1
            kind = data[at - 1]
            if kind == _EOI:
                self.end = at
                break
            length = int.from_bytes(data[at : at + 2], "big")
            if length < 2 or at + length > len(data):
                return
            body = data[at + 2 : at + length]
            at += length  # what a segment holds, a thumbnail with an end of its own too, is not looked into
            try:
                self._take(data, kind, body, at)
            except (IndexError, KeyError, ValueError) as error:
                malformed = malformed or error
            if kind == _SOS and self.scans:
                at = max(at, self.scans[-1].ends)  # looked through already, which is most of the file
        if malformed is not None:
            raise malformed

    def _take(self, data: bytes, kind: int, body: bytes, at: int) -> None:
        if kind in FRAMES:
            self.progressive = kind in _PROGRESSIVE
            self.arithmetic = kind >= _FIRST_ARITHMETIC
            self.size = (int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
            for number in range(body[5]):
                name, factors, _ = body[6 + 3 * number : 9 + 3 * number]
                if not (factors >> 4 and factors & 15):
                    raise ValueError("a component without samples")
                self.sampling[name] = (factors >> 4, factors & 15)
                self.sent[name] = [_NEVER_SENT] * _COEFFICIENTS
        elif kind == _DRI:
            self.restart_interval = int.from_bytes(body[:2], "big")
        elif kind == _DHT:
            self.usual_codes |= _USUAL_CODES in body
        elif kind == _SOS:
            self._take_scan(data, body, at)

    def _take_scan(self, data: bytes, body: bytes, begins: int) -> None:
        marker = _MARKER.search(data, begins)
        ends = marker.start() if marker else len(data)
        count = body[0]
        components = [body[1 + 2 * number] for number in range(count)]
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        if not self.progressive:
            first, last, bits = 0, _COEFFICIENTS - 1, 0
        for name in components:
            self.sent[name][first : last + 1] = [bits & 15] * (min(last, _COEFFICIENTS - 1) + 1 - first)
        refines_dc = first == 0 and bits >> 4 > 0
        repeats = _repeated(data, begins, ends) if not refines_dc and ends - begins >= _REPEATED else frozenset()
        scan = Scan(first == 0, refines_dc, begins, ends, repeats)
        self.scans.append(scan)
        if self.restart_interval and self.problem is None:
            parts = ceil(self._units(components) / self.restart_interval)
            restarts = [data[marker + 1] & 7 for marker in self.restarts(data, scan)]
            if len(restarts) + 1 < parts:
                self.problem = image_files.JPEG_SHORT(parts=len(restarts) + 1, whole=parts)
            # Some encoders close the last part too.
            elif len(restarts) > parts or any(restart != number % 8 for number, restart in enumerate(restarts)):
                self.problem = image_files.JPEG_DISORDER()

    def _units(self, components: list[int]) -> int:
        """How many units (MCUs) a scan of these components has."""
        across = max(h for h, _ in self.sampling.values())
        down = max(v for _, v in self.sampling.values())
        width, height = self.size
        if len(components) > 1:
            return ceil(width / (8 * across)) * ceil(height / (8 * down))
        h, v = self.sampling[components[0]]
        return ceil(ceil(width * h / across) / 8) * ceil(ceil(height * v / down) / 8)


def _repeated(data: bytes, begins: int, ends: int) -> frozenset[int]:
    """The bytes of which there are `_REPEATED` equal ones in a row, or more, between two places."""
    coded = np.frombuffer(data, np.uint8, (ends - begins) // _REPEATED * _REPEATED, begins)
    words = coded.view(np.uint64).reshape(-1, _REPEATED // 8)
    # The first and the last eight bytes tell of most that they are no repetition.
    alike = words[words[:, 0] == words[:, -1]].view(np.uint8).reshape(-1, _REPEATED)
    return frozenset(alike[(alike == alike[:, :1]).all(axis=1), 0].tolist())
