"""Silences Pillow's warnings about damaged files."""

from __future__ import annotations

import warnings


def quiet_decoders() -> None:
    """Drop Pillow's warnings, for this process: `worker.images.decoding` says itself what is wrong with an image.

    Python keeps the text of every warning that it has shown, and these quote the file: thousands of damaged images
    would fill the memory of a worker.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
