from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image

from worker.images.decoding import decode
from worker.images.quiet import quiet_decoders


def test_pillow_s_warnings_about_a_damaged_file_are_dropped_and_others_are_not() -> None:
    """Python keeps the text of every warning that it shows: each damaged image would leave some behind."""
    file = io.BytesIO()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # a directory of five entries that ends before the first
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG", exif=exif)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decode(file.getvalue(), (8, 8))
        assert [each.category for each in caught] == [UserWarning], "this file does not show it"
        caught.clear()
        quiet_decoders()
        decode(file.getvalue(), (8, 8))
        assert caught == []
        warnings.warn("another's", UserWarning, stacklevel=1)
        assert len(caught) == 1
