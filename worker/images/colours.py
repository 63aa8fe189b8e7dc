"""Brings what Pillow decodes to values that are brightness, and to RGB without transparency."""

from __future__ import annotations

from typing import Final

from PIL import Image

from producer.contract.reasons import image_files
from worker.images.unusable_error import UnusableImage

_UNIFORM: Final = 0.999
"""The share of an image's pixels that must have one value, for a few odd ones not to count."""


def with_palette_resolved(image: Image.Image) -> Image.Image:
    """Return an image whose values are brightness: neither numbers of colours nor single bits.

    Raises:
        UnusableImage: its colours cannot be read.
    """
    if image.mode == "P" and image.palette is None:
        raise UnusableImage(image_files.COLOURS(mode=image.mode))
    if image.mode == "1":
        return as_rgb(image, "L")
    if image.mode in ("P", "PA"):
        return as_rgb(image, "RGBA" if image.has_transparency_data else "RGB")
    return image


def opaque(image: Image.Image) -> Image.Image:
    """Return an image without transparency: transparent parts are black.

    Raises:
        UnusableImage: nothing is left, or its colours cannot be read.
    """
    if not image.has_transparency_data:
        return image
    image = as_rgb(image, "RGBA")
    alpha = _uniform_value(image.getchannel("A"))
    if alpha is None:
        return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert("RGB")
    colours = image.convert("RGB")  # which leaves out the transparency and nothing else
    if alpha == 0 and all(_uniform_value(colour) is not None for colour in colours.split()):
        raise UnusableImage(image_files.TRANSPARENT())
    return colours


def as_rgb(image: Image.Image, mode: str = "RGB") -> Image.Image:
    """Return an image in a mode, RGB or one near it.

    Raises:
        UnusableImage: its colours cannot be read.
    """
    if image.mode == mode:
        return image
    try:
        return image.convert(mode)
    except MemoryError:
        raise
    except Exception as error:  # a palette that is not there, a kind that has no way to RGB
        raise UnusableImage(image_files.COLOURS(mode=image.mode)) from error


def _uniform_value(band: Image.Image) -> int | None:
    """The value that all pixels have but for a few, or None."""
    counts = band.histogram()
    most = max(counts)
    return counts.index(most) if most >= _UNIFORM * band.width * band.height else None
