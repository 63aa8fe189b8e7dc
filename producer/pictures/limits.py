"""What a photograph may be, for stations and workers: the formats that are decoded, and how large one may be."""

from __future__ import annotations

from typing import Final

FORMATS: Final = ("JPEG", "PNG", "BMP", "TIFF")
"""What cameras write, as Pillow calls it. Every further decoder is one more that a hostile file can reach."""

MAX_IMAGE_BYTES: Final = 128 * 1024 * 1024
"""A 40-megapixel RGB bitmap has 120 MB; nothing larger can be an image within the pixel limit."""

MAX_PIXELS: Final = 40_000_000
"""Industrial cameras have up to some 25 megapixels; decoded, 40 take 160 MB."""
