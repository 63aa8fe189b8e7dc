"""The embedded backbone: a compact CNN that this project trains itself, on drawn inserts, and ships.

It needs no download, and so runs on any machine. Keras is imported by `network` only, not here.
"""

from __future__ import annotations

from pathlib import Path

WEIGHTS = Path(__file__).with_name("weights.h5")
MANIFEST = Path(__file__).with_name("manifest.json")

INPUT_SIZE = 224
"""Pixels in height and width; RGB bytes, scaled to [-1, 1] as float32 by `byte / 127.5 - 1`."""

FEATURES = 192
"""Length of the feature vector, the output of the layer named `features`."""
