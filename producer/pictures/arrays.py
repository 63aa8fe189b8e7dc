"""The type of an array of pixels or bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
"""Of any shape and type of value."""
