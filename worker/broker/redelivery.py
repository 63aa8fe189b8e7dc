"""When a message is redelivered whose worker died."""

from __future__ import annotations

from typing import Final

VISIBILITY_TIMEOUT: Final = 60
"""Seconds after which a message without acknowledgement is redelivered; above the time of any message. One that takes
longer all the same (a database that is away) is merely delivered twice."""

SWEEP_EVERY: Final = 5
"""Seconds between two looks for such messages; kombu's own default is every tenth look of one every ten seconds."""
