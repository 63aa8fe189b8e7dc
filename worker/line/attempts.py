"""How often a capture is tried before it is a fault: judging it, and fetching its image."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MAX_ATTEMPTS: Final = 3
"""How often judging a capture is tried; then it is a fault."""

IMAGE_TRIES: Final = 10
PAUSE: Final = timedelta(seconds=1)
"""How often, and how far apart, an image that is not in the store yet is tried: stores may lag behind events. A
judgement that failed is tried again at the same intervals."""
