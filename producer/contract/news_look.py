"""How a worker proves that it looks into the database for news, of which no message tells: a key in Redis with a lease.

A person labels, records a change or restores a backup without a worker. So what systems show is known to hold only
while a worker looks; the lease ends by itself when none does.
"""

from __future__ import annotations

from typing import Final

LOOKED: Final = "connector-looked"
"""The Redis key that is there while the last look that has ended well is not long ago."""

LEASE: Final = 20.0
"""Seconds for which a look proves this, from its beginning: workers may be started anew meanwhile."""
