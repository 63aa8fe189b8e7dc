"""How large a photograph may be, and how small, for stations and workers."""

from __future__ import annotations

from typing import Final

MAX_IMAGE_BYTES: Final = 128 * 1024 * 1024
"""A 40-megapixel RGB bitmap has 120 MB; nothing larger can be an image within the pixel limit."""

MAX_PIXELS: Final = 40_000_000
"""Industrial cameras have up to some 25 megapixels; decoded, 40 take 160 MB."""

MIN_SIDE: Final = 32
"""Pixels of the image's, or the region's, shorter side: of an insert nothing can be seen in fewer."""

MAX_PROPORTION: Final = 8
"""The longer side over the shorter one: no insert, and no camera's image, is longer."""
