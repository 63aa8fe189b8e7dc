"""When a check is over of which no more photographs come."""

from __future__ import annotations

from typing import Final

CHECK_TIMEOUT: Final = 600.0
"""Seconds without a photograph after which a check is over; an incomplete one ends as review, by the worker."""
