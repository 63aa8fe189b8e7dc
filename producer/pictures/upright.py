"""Opens a photograph for a person's or a program's look at it: upright, in colour, no larger than is needed."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from producer.files.file_kinds import no_file
from producer.pictures.image_formats import FORMATS
from producer.pictures.limits import MAX_IMAGE_BYTES, MAX_PIXELS


def upright(path: Path, side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Return a photograph in RGB, its longer side `side` at most, and its width and height in full.

    Raises:
        ValueError: it is none, or too large, damaged or of a format that no worker decodes.
    """
    try:
        status = path.stat()
        if (kind := no_file(status.st_mode)) is not None:
            raise ValueError(f"it is {kind}")
        if status.st_size > MAX_IMAGE_BYTES:
            raise ValueError(f"more than {MAX_IMAGE_BYTES:,} bytes")
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"more than {MAX_PIXELS:,} pixels")
            turned = image.getexif().get(0x0112, 1) >= 5
            size = image.size[::-1] if turned else image.size
            image.draft("RGB", (side, side))  # JPEG decodes to a fraction of its size in a fraction of the time
            picture = ImageOps.exif_transpose(image)
            if picture.mode.startswith("I"):  # 16 bits, of which the upper 8 are kept
                picture = picture.convert("I").point(lambda value: value / 256).convert("L")
            picture = picture.convert("RGB")
    except MemoryError:
        raise
    except Exception as error:  # decoders raise almost anything at bytes that are not what they seem
        raise ValueError(f"{path} is no photograph that can be read: {error}") from error
    picture.thumbnail((side, side))
    return picture, size
