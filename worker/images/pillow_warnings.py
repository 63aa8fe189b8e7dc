"""Pillow's warnings about damaged files, silenced. Loads neither Pillow nor NumPy: every command calls it."""

from __future__ import annotations

import warnings


def quiet_decoders() -> None:
    """Ignore Pillow's warnings in this process: `worker.images.decoding` says what is wrong with an image.

    Python keeps the text of every warning that it has shown, and these quote the file: thousands of damaged images
    would fill the memory of a worker.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
