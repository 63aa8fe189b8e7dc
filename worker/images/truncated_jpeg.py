"""Decodes a JPEG and asks the decoder, in the same pass, whether it had all of the picture, which it does not tell.

What is missing it fills with grey: a file that was cut short and closed with an end marker, as cameras do when a
transfer breaks off, decodes without an error. What its headers promise is compared by
`producer.pictures.jpeg_structure`; here the decoder is fed scan by scan. Between scans it looks for the next marker
and passes over whatever else comes, byte by byte. Within a scan it fills a buffer of bits, several bytes at once, and
takes none unless it gets them all. So how much it takes of single bytes says where it is:

- Still within the scan where its data have ended: something is missing. What it then gets to eat are the longest codes
  there are, so that no more than four blocks of 8×8 pixels, in the last corner, can be missing without being seen.
  So are the parts of a scan between its restart markers: of what comes over a network the packets of one may be lost.
- Behind the scan although data are left: a part is there twice, as after a copy that was resumed too early, or was
  overwritten, with zeros for example. Of a scan that repeats one byte or a few it is asked at its very end.

No pixels are compared, so this holds for a JPEG that is decoded at a fraction of its size as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from PIL import ImageFile, _imaging

from producer.pictures.jpeg_structure import JpegStructure

_ONES: Final = b"\xff\x00"
"""Eight bits, all one, as entropy-coded data have them. Ones throughout are the beginning of no code."""

_BUFFERED: Final = 8
"""Bytes that a decoder has in its buffer of 64 bits: after as many it has what a whole scan's last codes need."""

_TAIL: Final = 32
"""Of a scan that looks like any other, so large a part may be left over at its end: some programs pad their files."""

_PARTS: Final = 200
"""Parts of a scan, between its restart markers, each of which takes some 20 µs to ask."""

_SINGLE: Final = 2
"""Bytes that were taken one by one, from which on it is certain that they were passed over."""


def load_whole(image: ImageFile.ImageFile, data: bytes, jpeg: JpegStructure) -> bool:
    """Decode an opened JPEG, and return whether it has all of its picture.

    Args:
        image: opened, not loaded, and set to a fraction of its size or not.
        data: the bytes of its file.
        jpeg: their structure, which lacks nothing.

    Raises:
        OSError: it cannot be decoded.
    """
    feed = _Feed(image)
    try:
        view, at, whole = memoryview(data), 0, True
        for scan in jpeg.scans:
            for end in _checked(jpeg.restarts(data, scan), at):
                feed.give(view[at:end])
                at = end
                whole &= feed.passes_over([_ONES] * _BUFFERED)
            repeats = scan.repeats or jpeg.has_pattern(data, scan)
            room = _BUFFERED if repeats else max((scan.ends - scan.begins) // _TAIL, _BUFFERED)
            wanted = max(scan.ends - room, at)
            feed.give(view[at:wanted])
            at = min(wanted + _BUFFERED, scan.ends)
            whole &= not feed.passes_over(view[byte : byte + 1] for byte in range(wanted, at))
            feed.give(view[at : scan.ends])
            at = scan.ends
            whole &= feed.passes_over([_ONES] * _BUFFERED)
        feed.give(view[at : jpeg.end])
        if not feed.finished:
            raise OSError("the decoder wants more than the file has")
    finally:
        feed.close()
    image.tile = []
    image.load_end()
    return whole


def _checked(restarts: Sequence[int], begins: int) -> list[int]:
    """Of the parts of a scan, by where each but the last ends, those that are asked whether they lack something.

    All of them if that is no work, else the shortest.
    """
    if len(restarts) <= _PARTS:
        return [*restarts]
    lengths = np.diff([begins, *restarts])
    return [restarts[part] for part in sorted(np.argsort(lengths)[:_PARTS].tolist())]


class _Feed:
    """Pillow's decoder of JPEG, given its data piece by piece; what it does not take yet is given again."""

    def __init__(self, image: ImageFile.ImageFile) -> None:
        tile = image.tile[0]
        arguments: Any = tile.args
        self._decoder = _imaging.jpeg_decoder(image.mode, *arguments, *(image.decoderconfig or (1, 0)))
        image.load_prepare()
        self._decoder.setimage(image.im, tile.extents)
        self._left = b""
        self.finished = False

    def give(self, piece: bytes | memoryview) -> None:
        """Give a piece of the file, and have as much decoded as it brings."""
        if self.finished:  # with the last pixel, where all of them are in one scan
            return
        every = self._left + piece if self._left else piece
        taken, error = self._decoder.decode(every)
        if error < 0:
            raise OSError(f"the decoder gave up, {error}")
        self.finished = taken < 0
        self._left = b"" if self.finished else bytes(every[taken:])

    def passes_over(self, pieces: Iterable[bytes | memoryview]) -> bool:
        """Give bytes one by one, and return whether the decoder is passing over them: it is behind its scan."""
        most = taken = 0
        for piece in pieces:
            self.give(piece)
            taken = 0 if self._left else taken + 1
            most = max(most, taken)
        return most >= _SINGLE

    def close(self) -> None:
        """Free what the decoder holds."""
        self._decoder.cleanup()
