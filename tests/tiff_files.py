"""TIFF files as cameras and programs write them and Pillow does not: depths, byte orders, negatives, lost strips."""

from __future__ import annotations

import struct
import zlib


def tiff(
    pixels: bytes,
    width: int,
    height: int,
    bits: int = 16,
    *,
    samples: int = 1,
    order: str = "<",
    photometric: int = 1,
    deflated: bool = False,
    offset: int | None = None,
    more: dict[int, int] | None = None,
) -> bytes:
    """One strip of `pixels`. `offset` says where the directory claims that the strip is; `more` are further tags."""
    data = zlib.compress(pixels) if deflated else pixels
    shorts = {256: width, 257: height, 259: 8 if deflated else 1, 262: photometric, 277: samples, 278: height}
    entries: list[tuple[int, int, int, bytes]] = [
        (tag, 3, 1, struct.pack(f"{order}HH", value, 0)) for tag, value in {**shorts, **(more or {})}.items()
    ]
    depths = struct.pack(f"{order}{samples}H", *[bits] * samples)
    after = 8 + 2 + 12 * (len(entries) + 3) + 4
    begins = after + (len(depths) if len(depths) > 4 else 0)
    where = struct.pack(f"{order}I", after) if len(depths) > 4 else depths.ljust(4, b"\0")
    entries += [
        (258, 3, samples, where),
        (273, 4, 1, struct.pack(f"{order}I", begins if offset is None else offset)),
        (279, 4, 1, struct.pack(f"{order}I", len(data))),
    ]
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(
        struct.pack(f"{order}HHI", tag, kind, count) + value for tag, kind, count, value in sorted(entries)
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + directory + bytes(4) + (depths if len(depths) > 4 else b"") + data
